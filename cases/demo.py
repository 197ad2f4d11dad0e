"""The demo: the Ronin bridge theft of March 2022, from facts that ship with the project (cases/ronin2022)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cases.case_file import Case
from cases.exporting.contents import contents_of
from cases.exports import FORMATS, export
from cases.investigation import Progress
from cases.tracing import Question, retraced, trace
from connectors.labels import read_labels
from connectors.transfer_file import TransferFile
from tracer.errors import CaseConflict
from tracer.values import Chain

FACTS = Path(__file__).parent / "ronin2022"
SHOWN = ("csv", "json", "graphml")  # what needs no further library
EXPLOITER = "0x098b716b8aaf21512996dc57eb0615e2383e2f96"


def run_demo(
    out: Path, *, now: Callable[[], int], progress: Callable[[Progress], None] = lambda _: None
) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """Build the case in the folder `out`, and write its exports; returns the answer and the files.

    An earlier demo in `out` is replaced. Raises `CaseConflict` if something else stands there under its name.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / "ronin2022.fundtrail"
    _clear(path)
    with Case.create(path, at=now()) as case:
        case.pin_labels(read_labels(FACTS / "labels.csv"), at=now())
        question = Question(EXPLOITER, Chain.named("ethereum"), victim="Ronin bridge")
        given = trace(case, question, [TransferFile(FACTS, name="file:ronin2022")], now=now, progress=progress)
        traced = retraced(case, given)
        written = [path]
        contents = contents_of(case, given, traced)
        for form in SHOWN:
            written += export(contents, out / f"ronin2022{FORMATS[form].ending}", form, force=True)
        case.record("export", {"files": [file.name for file in written[1:]]}, at=now())
    return given, tuple(written)


def _clear(path: Path) -> None:
    if not path.exists():
        return
    with Case.open(path) as earlier:
        if [loss.victim for loss in earlier.losses()] not in ([], ["Ronin bridge"]):
            raise CaseConflict(f"{path} is another case", "name another folder: fundtrail demo --out FOLDER")
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        file.unlink(missing_ok=True)
