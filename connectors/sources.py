"""Opens a source of wallet histories by the name a user gives it: KIND:WHERE."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from connectors.protocol import Connector
from tracer.errors import InputError, UnknownName

#: Each kind of source, and the class that reads it. Imported when used, so a source's libraries cost nothing before.
KINDS = {
    "etherscan-recorded": "connectors.etherscan_recorded:EtherscanRecorded",
    "file": "connectors.transfer_file:TransferFile",
    "ledger": "connectors.bulk.source:LedgerFolder",
}


def open_source(text: str) -> Connector:
    """The source that `text` names. Raises `UnknownName` for a kind that is none, `InputError` for a bad place.

    >>> open_source("etherscan-recorder:answers")
    Traceback (most recent call last):
    ...
    tracer.errors.UnknownName: no kind of source named 'etherscan-recorder'
    """
    kind, colon, where = text.partition(":")
    if kind in KINDS and not colon:
        raise InputError(f"{text!r} does not say where", f"{kind}:PATH")
    if kind not in KINDS:
        if Path(text).exists():
            raise InputError(f"{text!r:.200} names no kind of source", f"for our own transfer files: file:{text}")
        raise UnknownName.among("kind of source", kind, KINDS)
    if not where:
        raise InputError(f"{text!r} does not say where", f"{kind}:PATH")
    module, _, name = KINDS[kind].partition(":")
    source = cast("Callable[[str], Connector]", getattr(import_module(module), name))
    return source(where)
