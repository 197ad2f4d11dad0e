"""GROUND: what moved and whose money it is. Pure: no clock, network, disk, randomness or logging."""
