"""What a case holds, as files for other programs, and back: one file for each format, each with its own escapes."""
