"""An ingest adds each transfer once, lists what it cannot take, and loses nothing when it is killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bulk_batches import JsonReader, write
from connectors.bulk import events, folder
from connectors.bulk.batch import Batch, CoinBatch
from connectors.bulk.folder import load, locked, sealed, verify
from connectors.bulk.ingest import Progress, ingest
from connectors.bulk.ledger import BulkLedger
from notation import ETHEREUM, address, payment
from notation import transfers as drawn
from tracer.errors import InputError
from tracer.values import Chain, Leg, SinkKind, Slot, Transfer, TransferId

HERE = Path(__file__).resolve()
ROOT = HERE.parents[3]


def lines(first: int, last: int) -> list[Transfer]:
    return list(
        drawn(
            "\n".join(f"{block} victim -> mule {block} gas 1\n{block} mule -> shop 2" for block in range(first, last))
        )
    )


def refused(ledger: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ledger / "rejected.jsonl").read_text().splitlines()]


def contents(ledger: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in ledger.iterdir()}


def test_the_same_file_again_adds_nothing_and_changes_nothing(tmp_path: Path) -> None:
    path, ledger = write(tmp_path / "a.jsonl", lines(1, 9)), tmp_path / "ledger"
    first = ingest([path], ledger, reader=JsonReader(ETHEREUM))
    assert (first.rows, first.added, first.transfers) == (24, 24, 24)
    before = contents(ledger)
    again = ingest([path], ledger, reader=JsonReader(ETHEREUM))
    assert (again.rows, again.added, again.transfers, again.unchanged) == (0, 0, 24, (path,))
    assert contents(ledger) == before


def test_the_same_bytes_twice_in_one_call_count_once(tmp_path: Path) -> None:
    one, other = (write(tmp_path / name, lines(1, 5)) for name in ("a.jsonl", "b.jsonl"))
    done = ingest([one, other], tmp_path / "ledger", reader=JsonReader(ETHEREUM))
    assert (done.added, done.repeated, done.unchanged) == (12, 0, (other,))


def test_a_file_that_overlaps_adds_what_is_new_and_cites_both(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a.jsonl", lines(1, 9)), write(tmp_path / "b.jsonl", lines(5, 13))
    ledger = tmp_path / "ledger"
    ingest([one], ledger, reader=JsonReader(ETHEREUM))
    done = ingest([other], ledger, reader=JsonReader(ETHEREUM))
    assert (done.rows, done.added, done.repeated, done.transfers) == (24, 12, 12, 36)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other)]
    (value, _) = BulkLedger(ledger).of_tx(ETHEREUM, payment(5).tx)
    assert value.evidence == tuple(sorted((f"sha256:{digests[0]}#13", f"sha256:{digests[1]}#1")))
    assert [(source.added, source.repeated) for source in load(ledger).sources] == [(24, 0), (12, 12)]
    assert verify(ledger) == ()


def test_a_row_that_cannot_be_read_is_listed_with_its_number_and_why(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", lines(1, 3))
    rows = path.read_text().splitlines()
    rows[1] = rows[1].replace('"units": "1"', '"units": "1.5"')
    rows[4] = "{"
    path.write_text("\n".join(rows) + "\n")
    done = ingest([path], tmp_path / "ledger", reader=JsonReader(ETHEREUM))
    assert (done.rows, done.added, done.rejected) == (6, 4, 2)
    listed = refused(tmp_path / "ledger")
    assert [(one["file"], one["row"], one["kind"]) for one in listed] == [
        ("a.jsonl", row, "rejected") for row in (2, 5)
    ]
    assert "units: not a whole number of base units: '1.5'" in listed[0]["why"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda one: replace(one, block=replace(one.block, number=7)), "stands elsewhere"),
        (lambda one: replace(one, block=replace(one.block, time=1_700_000_000)), "stands elsewhere"),
        (lambda one: replace(one, index=3), "stands elsewhere"),
        (lambda one: paying(one, 61), "units 60 / 61"),
        (lambda one: paying(one, 2**200), f"units 60 / {2**200}"),
        (lambda one: paying(one, 60, "other"), "payee"),
        (lambda one: replace(one, inputs=(Leg.sink(one.asset, SinkKind.ISSUE, 60),)), "issue"),
    ],
)
def test_a_second_report_with_other_facts_is_refused_and_listed(tmp_path: Path, change: Any, why: str) -> None:
    (one,) = drawn("1 victim -> mule 60")
    paths = [write(tmp_path / "a.jsonl", [one]), write(tmp_path / "b.jsonl", [change(one), one])]
    done = ingest(paths, tmp_path / "ledger", reader=JsonReader(ETHEREUM))
    assert (done.added, done.contradictions, done.repeated) == (1, 1, 1)
    (listed,) = refused(tmp_path / "ledger")
    assert (listed["file"], listed["row"], listed["kind"]) == ("b.jsonl", 1, "contradiction")
    assert why in listed["why"]
    assert BulkLedger(tmp_path / "ledger").transfer(0).units == 60


def paying(one: Transfer, units: int, payee: str = "mule") -> Transfer:
    sides = (Leg.slot(address(name), one.asset, units) for name in ("victim", payee))
    return replace(one, inputs=(next(sides),), outputs=(next(sides),))


def test_large_amounts_are_compared_as_they_are(tmp_path: Path) -> None:
    (one,) = drawn(f"1 victim -> mule {2**200}")
    edge = replace(paying(one, 2**128 - 1), id=replace(one.id, position="log:1"))
    file = [one, edge, one, edge, paying(one, 2**200 + 1), paying(one, 2**128 - 1), replace(one, id=edge.id)]
    done = ingest([write(tmp_path / "a.jsonl", file)], tmp_path / "ledger", reader=JsonReader(ETHEREUM))
    assert (done.added, done.repeated, done.contradictions) == (2, 2, 3)


def test_what_no_accepted_row_names_is_not_in_the_ledger(tmp_path: Path) -> None:
    (one,) = drawn("1 victim -> mule 60")
    path = write(tmp_path / "a.jsonl", [one, paying(one, 60, "phantom")])
    ingest([path], tmp_path / "ledger", reader=JsonReader(ETHEREUM))
    ledger = BulkLedger(tmp_path / "ledger")
    assert ledger.hid(Slot(address("phantom"), one.asset)) is None
    assert ledger.holdings_of(address("phantom")) == ()


class Stops(Exception):
    """Raised by a progress callback: the ingest ends in the middle."""


def test_an_ingest_that_is_broken_off_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a.jsonl", lines(1, 20)), write(tmp_path / "b.jsonl", lines(15, 60))
    ledger = tmp_path / "ledger"
    ingest([one], ledger, reader=JsonReader(ETHEREUM))
    before, manifest = list(BulkLedger(ledger).transfers), load(ledger)

    def stop(progress: Progress) -> None:
        if progress.rows > 60:
            raise Stops

    with pytest.raises(Stops):
        ingest([other], ledger, reader=JsonReader(ETHEREUM), progress=stop)
    assert load(ledger) == manifest
    assert verify(ledger) == ()
    assert list(BulkLedger(ledger).transfers) == before
    ingest([other], ledger, reader=JsonReader(ETHEREUM))
    ingest([one, other], tmp_path / "straight", reader=JsonReader(ETHEREUM))
    assert list(BulkLedger(ledger).transfers) == list(BulkLedger(tmp_path / "straight").transfers)


def test_a_long_file_goes_on_from_its_last_commit(tmp_path: Path) -> None:
    path, ledger = write(tmp_path / "a.jsonl", lines(1, 40)), tmp_path / "ledger"
    seen: list[int] = []

    def stop(progress: Progress) -> None:
        seen.append(progress.rows)
        if progress.rows > 80:
            raise Stops

    with pytest.raises(Stops):
        ingest([path], ledger, reader=JsonReader(ETHEREUM), progress=stop, commit_every=30)
    (source,) = load(ledger).sources
    assert not source.finished
    assert 30 <= source.read <= 80
    assert len(BulkLedger(ledger)) == source.read
    done = ingest([path], ledger, reader=JsonReader(ETHEREUM), commit_every=30)
    assert (done.rows, done.added, done.repeated) == (117 - source.read, 117 - source.read, 0)
    assert load(ledger).sources[0].finished
    assert (load(ledger).sources[0].added, len(BulkLedger(ledger))) == (117, 117)
    assert verify(ledger) == ()


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
import connectors.bulk.folder as folder, connectors.bulk.writing as writing, connectors.bulk.storing as storing
from bulk_batches import JsonReader
from connectors.bulk.ingest import ingest
from tracer.values import Chain
left = 0
def counted(real):
    def step(*args, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **named)
    return step
for module, name in ((os, "fsync"), (os, "pwrite"), (os, "truncate")):
    setattr(module, name, counted(getattr(module, name)))
Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)
for line in sys.stdin:  # what is imported once need not be imported by each process that is killed
    left = int(line)
    pid = os.fork()
    if not pid:
        ingest([Path(sys.argv[2])], Path(sys.argv[3]), reader=JsonReader(Chain.named("ethereum")), commit_every=30)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def test_a_kill_at_any_moment_costs_nothing_that_was_committed(tmp_path: Path) -> None:
    """At the moments when something reaches the disk: those are the only ones at which its state can differ."""
    one, other = write(tmp_path / "a.jsonl", lines(1, 8)), write(tmp_path / "b.jsonl", lines(5, 25))
    whole = tmp_path / "whole"
    ingest([one, other], whole, reader=JsonReader(ETHEREUM))
    expected = list(BulkLedger(whole).transfers)
    ledger = tmp_path / "ledger"
    ingest([one], ledger, reader=JsonReader(ETHEREUM))

    command = [sys.executable, "-c", KILLED, str(ROOT), str(other), str(ledger)]
    at_least, killed = 21, 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forks:
        assert forks.stdin
        assert forks.stdout
        for moments in (0, 9, 30, 47, 60, 1000):
            print(moments, file=forks.stdin, flush=True)
            status = int(forks.stdout.readline())
            assert status in (0, -signal.SIGKILL)
            killed += status != 0
            assert verify(ledger) == ()
            found = list(BulkLedger(ledger).transfers)
            assert len(found) >= at_least
            facts = {replace(one, evidence=("x",)) for one in expected}  # citations grow, facts do not change
            assert facts.issuperset(replace(one, evidence=("x",)) for one in found)
            at_least = len(found)
    assert killed >= 3
    assert list(BulkLedger(ledger).transfers) == expected


def test_a_changed_byte_is_told_by_verify(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    ingest([write(tmp_path / "a.jsonl", lines(1, 9))], ledger, reader=JsonReader(ETHEREUM))
    for stored in load(ledger).files.values():
        if stored.size:
            path = ledger / stored.file
            body = path.read_bytes()
            path.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
            (wrong,) = verify(ledger)
            assert stored.file in wrong
            path.write_bytes(body[:-1])
            assert f"has {len(body) - 1} bytes of {len(body)}" in verify(ledger)[0]
            path.write_bytes(body)
    assert verify(ledger) == ()


def test_a_shortened_file_stops_the_next_ingest(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    ingest([write(tmp_path / "a.jsonl", lines(1, 9))], ledger, reader=JsonReader(ETHEREUM))
    rows = ledger / load(ledger).files["rows"].file
    os.truncate(rows, 8)
    with pytest.raises(InputError, match="the manifest tells of"):
        ingest([write(tmp_path / "b.jsonl", lines(9, 12))], ledger, reader=JsonReader(ETHEREUM))
    with pytest.raises(InputError, match="cannot be read"):
        BulkLedger(ledger)


@pytest.mark.parametrize("there", [0, 7, 255, 256, 511])
def test_no_manifest_names_bytes_that_are_not_there(
    there: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "PART", 256)
    file = tmp_path / "rows.0.bin"
    file.write_bytes(bytes(512))
    whole = sealed(tmp_path, file.name, 512)
    os.truncate(file, there)
    for before in (None, whole):  # with it nothing need be hashed again
        with pytest.raises(InputError, match=f"has {there} bytes, and 512 were written to it"):
            sealed(tmp_path, file.name, 512, before)


def test_files_of_several_parts_are_hashed_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "PART", 256)
    ledger = tmp_path / "ledger"
    for number in range(3):
        ingest(
            [write(tmp_path / f"{number}.jsonl", lines(1 + 9 * number, 10 + 9 * number))],
            ledger,
            reader=JsonReader(ETHEREUM),
        )
        assert verify(ledger) == ()
    stored = load(ledger).files["rows"]
    body = (ledger / stored.file).read_bytes()
    assert stored.parts == tuple(hashlib.sha256(body[at : at + 256]).hexdigest() for at in range(0, len(body), 256))
    manifest = load(ledger)
    fewer = replace(stored, parts=stored.parts[:-1])
    folder.save(ledger, replace(manifest, files={**manifest.files, "rows": fewer}))
    assert [wrong.partition(" ")[0] for wrong in verify(ledger)] == [stored.file]  # nothing vouches for the last part


def test_holdings_with_more_events_than_fit_are_indexed_in_stretches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.jsonl", lines(1, 30))
    ingest([path], tmp_path / "whole", reader=JsonReader(ETHEREUM))
    monkeypatch.setattr(events, "_LEAST", 5)
    monkeypatch.setattr(events, "_MOST", 7)
    ingest([path], tmp_path / "stretched", reader=JsonReader(ETHEREUM))
    for name in ("events-0", "starts-0"):
        bodies = [
            (one / load(one).files[name].file).read_bytes() for one in (tmp_path / "whole", tmp_path / "stretched")
        ]
        assert bodies[0] == bodies[1]
    whole, stretched = (BulkLedger(tmp_path / name) for name in ("whole", "stretched"))
    for who in ("victim", "mule", "shop"):
        assert whole.history(address(who)) == stretched.history(address(who))
        hid = whole.hid(Slot(address(who), ETHEREUM.coin))
        assert hid is not None
        for at in range(len(whole) + 1):
            assert whole.balance_before(hid, at) == stretched.balance_before(hid, at)


def test_two_ingests_at_once_are_refused(tmp_path: Path) -> None:
    with locked(tmp_path / "ledger"), pytest.raises(InputError, match="another ingest"):
        ingest([write(tmp_path / "a.jsonl", lines(1, 2))], tmp_path / "ledger", reader=JsonReader(ETHEREUM))


def test_a_folder_of_another_chain_or_of_other_things_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", lines(1, 2))
    ingest([path], tmp_path / "ledger", reader=JsonReader(ETHEREUM))
    with pytest.raises(InputError, match="a ledger of ethereum, not of bsc"):
        ingest([path], tmp_path / "ledger", reader=JsonReader(Chain.named("bsc")))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files: thesis"):
        ingest([path], tmp_path / "other", reader=JsonReader(ETHEREUM))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "cannot be read"),
        ("[]", "is of format None"),
        ('{"format": "fundtrail-ledger/9"}', "fundtrail-ledger/9"),
        ('{"format": "fundtrail-ledger/1"}', "is damaged"),
    ],
)
def test_a_manifest_that_cannot_be_used_says_so(tmp_path: Path, body: str, why: str) -> None:
    (tmp_path / "manifest.json").write_text(body)
    with pytest.raises(InputError, match=why):
        BulkLedger(tmp_path)


def test_a_manifest_cannot_name_a_file_outside_its_folder(tmp_path: Path) -> None:
    ingest([write(tmp_path / "a.jsonl", lines(1, 2))], tmp_path / "ledger", reader=JsonReader(ETHEREUM))
    manifest = tmp_path / "ledger" / "manifest.json"
    record = json.loads(manifest.read_text())
    record["files"]["rows"]["file"] = "../a.jsonl"
    manifest.write_text(json.dumps(record))
    with pytest.raises(InputError, match="outside the folder"):
        BulkLedger(tmp_path / "ledger")


def test_a_folder_without_a_manifest_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a ledger folder"):
        BulkLedger(tmp_path)


def test_an_empty_file_makes_an_empty_ledger(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    done = ingest([tmp_path / "a.jsonl"], tmp_path / "ledger", reader=JsonReader(ETHEREUM))
    ledger = BulkLedger(tmp_path / "ledger")
    assert (done.rows, len(ledger), list(ledger.transfers)) == (0, 0, [])
    assert ledger.hid(Slot(address("mule"), ETHEREUM.coin)) is None
    assert ledger.history(address("mule")) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl cannot be read"):
        ingest([tmp_path / "gone.jsonl"], tmp_path / "ledger", reader=JsonReader(ETHEREUM))


class Spoilt(JsonReader):
    """A reader with a defect: it hands on what cannot be stored."""

    def batches(self, path: Path, skip_rows: int = 0) -> Iterator[Batch | CoinBatch]:
        for batch in super().batches(path, skip_rows):
            assert isinstance(batch, Batch)
            block, index = batch.block.copy(), batch.index.copy()
            block[0], index[1] = -1, -5
            sink = batch.payer_sink.copy()
            sink[2] = 77
            yield replace(batch, block=block, index=index, payer_sink=np.asarray(sink))


def test_what_would_break_the_storage_is_refused_row_by_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", lines(1, 3))
    done = ingest([path], tmp_path / "ledger", reader=Spoilt(ETHEREUM))
    assert (done.added, done.rejected) == (3, 3)
    assert [one["row"] for one in refused(tmp_path / "ledger")] == [1, 2, 3]
    assert [one.id for one in BulkLedger(tmp_path / "ledger").transfers] == [one.id for one in lines(1, 3)[3:]]


def test_a_position_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    class Misnamed(JsonReader):
        def batches(self, path: Path, skip_rows: int = 0) -> Iterator[Batch | CoinBatch]:
            import pyarrow as pa

            for batch in super().batches(path, skip_rows):
                assert isinstance(batch, Batch)
                yield replace(batch, position=pa.array(["tx", "uncle:1"][: len(batch.rows)]))

    path = write(tmp_path / "a.jsonl", lines(1, 2)[:2])
    done = ingest([path], tmp_path / "ledger", reader=Misnamed(ETHEREUM))
    assert (done.added, done.rejected) == (1, 1)
    assert "uncle:1" in refused(tmp_path / "ledger")[0]["why"]


def test_progress_tells_rows_as_they_are_read(tmp_path: Path) -> None:
    told: list[Progress] = []
    path = write(tmp_path / "a.jsonl", lines(1, 9))
    ingest([path], tmp_path / "ledger", reader=JsonReader(ETHEREUM, size=10), progress=told.append)
    assert [one.rows for one in told] == [10, 20, 24]
    assert told[0].size == path.stat().st_size


def test_a_payment_to_oneself_of_an_id_in_another_position_is_another_transfer(tmp_path: Path) -> None:
    (one,) = drawn("1 victim -> mule 60")
    more = [replace(one, id=TransferId(one.id.chain, one.id.tx, f"trace:{n}")) for n in range(300)]
    done = ingest(
        [write(tmp_path / "a.jsonl", [one, *more, *more])], tmp_path / "ledger", reader=JsonReader(ETHEREUM, size=64)
    )
    assert (done.added, done.repeated) == (301, 300)
