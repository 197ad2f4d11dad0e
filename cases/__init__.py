"""What we keep: the case file, the loop that fills it, and what is handed over from it."""
