"""Reads the tables that people have: what explorers' websites offer for download, and any CSV with a map of it."""
