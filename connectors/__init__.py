"""EFFECTS IN: wallet histories and labels from files, explorers and nodes, with the raw bytes kept as evidence."""
