"""Bulk ledgers: whole chain extracts, of a million transfers or a hundred million, as a folder of columns."""
