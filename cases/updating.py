"""Reading on everything that a case has from live sources: verified at its tail, and up to the newest block."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cases.asking import read_on
from cases.case_file import Case
from cases.investigation import Progress
from cases.reading_on import reorganised
from connectors.protocol import Connector, ReadsOn


def update(
    case: Case,
    connectors: Sequence[Connector],
    *,
    now: Callable[[], int],
    progress: Callable[[Progress], None] = lambda _: None,
) -> int:
    """Read on each history that `connectors` gave before, and return how many transfers came of it.

    What failed or was cut then is asked for again. Interrupted, the same call goes on. Raises `SourceUnusable`.
    """
    got = asked = 0
    by_name = {connector.name: connector for connector in connectors if isinstance(connector, ReadsOn)}
    if len(by_name) > 1:  # before one of them is told what another said of blocks that are no more
        for connector in by_name.values():
            reorganised(case, connector, now)
    known = list(dict.fromkeys((source, answer.address) for source, answer in case.answers() if source in by_name))
    for source, address in known:
        for page in read_on(case, by_name[source], address, now):
            asked += 1
            got += len(page.transfers)
            progress(Progress(asked, 0, len(known), address, source, len(page.transfers)))
    return got


__all__ = ["update"]
