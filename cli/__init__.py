"""FRONT DOOR: click commands, progress, printing and exit codes. No rule about money lives here.

What a command needs is imported inside it, so that `fundtrail --help` imports none of it.
"""

from __future__ import annotations

from cli.program import main

__all__ = ["main"]
