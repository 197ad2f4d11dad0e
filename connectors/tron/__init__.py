"""Tron through TronGrid or any server that speaks its API: lists of an account, confirmed by what the node executed."""
