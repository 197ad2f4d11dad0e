"""Limits: kept by one process, by two that share a folder, and by a machine whose clock is set back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connectors.http.judging import as_json
from connectors.http.network import Network
from connectors.http.pacing import Pace, Paced
from connectors.http.protocol import Request, Response
from connectors.settings import Settings
from loopback import listening, reply
from tracer.errors import InputError
from virtual_clock import VirtualClock

ASKED = Request("https://x.org")
ROOT = Path(__file__).parents[3]


class Notes:
    """Answers, and notes by the clock that only ever grows when it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.at: list[float] = []

    def send(self, request: Request) -> Response:
        self.at.append(self.clock.monotonic())
        return Response(200, b"{}")


def most_within(times: list[float], seconds: float) -> int:
    """The most that lie within any stretch of so many seconds."""
    return max(sum(begin <= at < begin + seconds for at in times) for begin in times)


@pytest.mark.parametrize("shared", [False, True])
def test_no_stretch_of_time_holds_more_than_any_pace_allows(shared: bool, tmp_path: Path) -> None:
    clock = VirtualClock()
    notes = Notes(clock)
    paced = Paced(notes, (Pace(3), Pace(10, 60)), "x.org", clock, tmp_path if shared else None)
    for _ in range(35):
        paced.send(ASKED)
        clock.pass_by(0.1)
    assert most_within(notes.at, 1) == 3
    assert most_within(notes.at, 60) == 10
    assert 180 < notes.at[-1] < 183, "it waited longer than it had to"


def test_without_a_pace_nothing_waits_and_nothing_is_written(tmp_path: Path) -> None:
    clock = VirtualClock()
    paced = Paced(Notes(clock), (), "x.org", clock, tmp_path / "pace")
    for _ in range(100):
        paced.send(ASKED)
    assert clock.slept == []
    assert not (tmp_path / "pace").exists()


@pytest.mark.parametrize("back", [0.3, 2.0, 90.0, 7200.0, 86_400.0 * 400])
def test_a_clock_that_is_set_back_neither_hurries_nor_blocks(back: float, tmp_path: Path) -> None:
    clock = VirtualClock()
    notes = Notes(clock)
    paced = Paced(notes, (Pace(3), Pace(10, 60)), "x.org", clock, tmp_path)
    for number in range(30):
        if number in (2, 9, 17):
            clock.set_back(back)
        paced.send(ASKED)
    assert most_within(notes.at, 1) == 3
    assert most_within(notes.at, 60) == 10
    assert notes.at[-1] < 400


def test_whoever_shares_host_and_key_shares_the_limit_and_nobody_else(tmp_path: Path) -> None:
    clock = VirtualClock()
    notes = Notes(clock)
    one, two, other = (Paced(notes, (Pace(3),), key, clock, tmp_path) for key in ("x.org a", "x.org a", "x.org b"))
    for _ in range(3):
        one.send(ASKED)
    other.send(ASKED)
    assert clock.slept == []
    two.send(ASKED)
    assert sum(clock.slept) >= 1


def test_the_files_do_not_tell_which_key_it_was(tmp_path: Path) -> None:
    clock = VirtualClock()
    Paced(Notes(clock), (Pace(3),), "x.org k3yk3yk3y", clock, tmp_path / "pace").send(ASKED)
    files = [file for file in (tmp_path / "pace").iterdir() if file.is_file()]
    assert files
    for file in files:
        assert b"k3yk3y" not in file.read_bytes() + file.name.encode()
    assert (tmp_path / "pace").stat().st_mode & 0o77 == 0


def test_a_spoiled_file_is_begun_anew(tmp_path: Path) -> None:
    clock = VirtualClock()
    Paced(Notes(clock), (Pace(3),), "x.org", clock, tmp_path).send(ASKED)
    (file,) = tmp_path.glob("*.sqlite")
    file.write_bytes(b"not a database at all")
    for rest in tmp_path.glob("*.sqlite-*"):
        rest.unlink()
    notes = Notes(clock)
    Paced(notes, (Pace(3),), "x.org", clock, tmp_path).send(ASKED)
    assert len(notes.at) == 1


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    clock = VirtualClock()
    (tmp_path / "pace").write_text("a file")
    with pytest.raises(InputError, match="pace") as caught:
        Paced(Notes(clock), (Pace(3),), "x.org", clock, tmp_path / "pace").send(ASKED)
    assert "FUNDTRAIL_CACHE" in caught.value.hint


SENDS = """
import sys, time
from pathlib import Path
from connectors.http.live import SystemClock
from connectors.http.pacing import Pace, Paced
from connectors.http.protocol import Request, Response
class Notes:
    def send(self, request):
        print(time.time(), flush=True)
        return Response(200, b"{}")
paced = Paced(Notes(), (Pace(4), Pace(10, 3)), "x.org", SystemClock(), Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(7):
    paced.send(Request("https://x.org"))
"""


def test_two_processes_that_share_a_folder_keep_one_limit(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SENDS, str(tmp_path)]
    pipe = subprocess.PIPE
    children = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write("\n")
        child.stdin.flush()
    told = [child.communicate(timeout=60)[0].split() for child in children]
    times = sorted(float(at) for lines in told for at in lines)
    assert [len(lines) for lines in told] == [7, 7]
    # A few hundredths are between the count and the note of it.
    assert most_within(times, 0.95) <= 4
    assert most_within(times, 2.95) <= 10


@pytest.mark.parametrize(("kind", "seconds"), [("etherscan", 2), ("blockscout", 20)])
def test_what_the_user_configured_wins_over_what_the_provider_publishes(
    kind: str, seconds: int, tmp_path: Path
) -> None:
    clock = VirtualClock()
    settings = Settings(file={"sources": {"etherscan": {"requests_per_second": 1}}}, cache=tmp_path)
    with listening(lambda _: [reply(b"{}")]) as server:
        door = Network(settings, clock=clock).door("made-up:x", kind, server.url, as_json, (Pace(1, 10),))
        for _ in range(3):
            door.send(Request(server.url))
    assert seconds <= sum(clock.slept) < seconds + 1
    assert len(list((tmp_path / "pace").glob("*.sqlite"))) == 1
