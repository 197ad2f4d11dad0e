"""Every exception that fundtrail raises on purpose.

FundtrailError              str() = what happened; .hint = what to do next; .exit_code for the front door
├── InputError              exit 2: fix the command or the file
│   ├── BadAddress          not an address of that chain, and why
│   ├── BadAmount           not a whole number of base units in range
│   ├── BadRow              a row of a file cannot be read; says which
│   └── UnknownName         chain, source, rule ...: with "did you mean"
├── SourceError             exit 1; carries .source .address, and .request and .body of the answer at fault
│   ├── SourceSkipped       this address only; the run goes on
│   └── SourceUnusable      the source as a whole cannot be used; the run stops
├── LedgerError             exit 1
│   ├── Unbalanced          a transfer whose sides differ
│   ├── Contradiction       two pieces of evidence disagree; carries both
│   └── BooksDoNotClose     a trace that does not add up is not issued
└── CaseError               exit 1
    ├── CaseNotFound
    ├── CaseConflict        what is asked does not fit what the case holds
    ├── CaseTooNew          the file was written by a later version
    └── CaseDamaged         the file or its log fails verification
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FundtrailError(Exception):
    """What happened (``str()``), what to do next (``hint``) and the exit code it ends the program with."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class InputError(FundtrailError):
    """What the user gave cannot be used as it is."""

    exit_code = 2


class BadAddress(InputError):
    """Not an address of the chain it was given for."""


class BadAmount(InputError):
    """Not a whole number of base units between 0 and 2**256 - 1."""


class BadRow(InputError):
    """A row of a file that cannot be read; the message says which row and why."""


class UnknownName(InputError):
    """A name that is not one of a known list.

    >>> str(UnknownName.among("chain", "etherum", ["bitcoin", "ethereum"]))
    "no chain named 'etherum'"
    >>> UnknownName.among("chain", "etherum", ["bitcoin", "ethereum"]).hint
    "did you mean 'ethereum'? known: bitcoin, ethereum"
    """

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str]) -> UnknownName:
        """The error for `name` not being one of `known`, with the nearest one suggested."""
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        return cls(f"no {kind} named {name!r}", f"{guess}known: {', '.join(names)}")


class SourceError(FundtrailError):
    """A source did not give a usable answer. `body` is what it gave instead, to `request`, which holds no secret."""

    def __init__(
        self, message: str, hint: str = "", *, source: str, address: str = "", request: str = "", body: bytes = b""
    ) -> None:
        super().__init__(message, hint)
        self.source = source
        self.address = address
        self.request = request
        self.body = body


class SourceSkipped(SourceError):
    """This address cannot be had from this source; others may."""


class SourceUnusable(SourceError):
    """The source as a whole cannot be used."""


class LedgerError(FundtrailError):
    """The transfers as given cannot be true together."""


class Unbalanced(LedgerError):
    """A transfer whose inputs and outputs do not add up to the same."""


class Contradiction(LedgerError):
    """Two pieces of evidence say different things about one transfer."""

    def __init__(self, message: str, hint: str = "", *, evidence: tuple[str, ...]) -> None:
        super().__init__(message, hint)
        self.evidence = evidence


class BooksDoNotClose(LedgerError):
    """Ends, held, fees and not followed do not add up to what was lost."""


class CaseError(FundtrailError):
    """A case file cannot be used."""


class CaseNotFound(CaseError):
    """There is no case file at that place."""


class CaseConflict(CaseError):
    """What is asked does not fit what the case holds, or somebody else is writing to it."""


class CaseTooNew(CaseError):
    """The case file was written by a later version."""


class CaseDamaged(CaseError):
    """The case file or its log fails verification."""
