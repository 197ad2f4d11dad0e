"""Etherscan and what speaks its language: answers that somebody kept, and the live service."""
