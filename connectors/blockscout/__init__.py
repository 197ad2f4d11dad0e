"""Blockscout, an explorer that many chains run: its REST interface, live."""
