"""The Ronin case that ships with the project: the published figures, closed books, the same bytes everywhere."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cases.case_file import Case
from cases.demo import EXPLOITER, FACTS
from cases.tracing import Question, trace
from connectors.etherscan.recorded import EtherscanRecorded
from connectors.labels import read_labels
from connectors.transfer_file import TransferFile
from ronin_facts import ROOT, facts, labels
from tracer.lots import Rule
from tracer.values import Chain

SHARED = ROOT.parent / "shared" / "data"
ETH = 10**18
TORNADO = "0xd90e2f925da726b50c4ed8d0fb90ad053324f31b"
DEPOSITS = {
    "0x17a96cd2aff8bece22b54a83955fbab5c92a98ca": "HTX (Huobi) 35",
    "0xbc771fb7b6a8876d09fd2e3e2f17fbc91896d8c8": "HTX (Huobi) 35",
    "0x6102f081de19eb53404b684b4e14667745a4c874": "HTX (Huobi) 33",
    "0x5b5082214d62585d686850ab8d9e3f6b6a5c58ff": "HTX (Huobi) 34",
    "0x036587e77eabe6a7e181886a5a6ed10dc25654f9": "FTX 2",
}
needs_ronin = pytest.mark.skipif(
    not (SHARED / "ronin2022").is_dir(), reason="no shared/data/ronin2022 beside the repository"
)


def clock() -> Callable[[], int]:
    return lambda: 1_700_000_000


def hundredths(units: str) -> str:
    """ETH to two decimals, rounded as the published figures are."""
    whole, part = divmod((int(units) + ETH // 200) // (ETH // 100), 100)
    return f"{whole:,}.{part:02}"


@pytest.fixture
def answer(demo: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    return demo[1]


def ends(answer: dict[str, Any], **wanted: str) -> list[dict[str, Any]]:
    return [end for end in answer["ends"] if all(end[key] == value for key, value in wanted.items())]


@pytest.mark.parametrize("rule", Rule.of(Chain.named("ethereum").family))
def test_175_100_eth_went_into_the_mixer_in_1751_deposits(answer: dict[str, Any], rule: Rule) -> None:
    (mixer,) = ends(answer, address=TORNADO)
    assert mixer["stop"] == "mixer"
    assert hundredths(mixer["amounts"][rule]) == "175,100.00"
    assert sum(transfer.endswith(":tx") for transfer in mixer["transfers"]) == len(mixer["transfers"]) == 1751


def test_the_five_deposit_addresses_are_found_by_behaviour_alone(answer: dict[str, Any]) -> None:
    assert not {label.address.text for label in read_labels(FACTS / "labels.csv").labels} & DEPOSITS.keys()
    found = ends(answer, stop="deposit address")
    assert {end["address"]: end["label"] for end in found} == {
        address: f"deposit address of {venue}" for address, venue in DEPOSITS.items()
    }
    assert all(end["basis"] == "behaviour" for end in found)
    assert all("for: outflow goes to one exchange" in end["why"] and "against: " in end["why"] for end in found)


def test_what_reached_the_exchanges_is_what_was_published(answer: dict[str, Any]) -> None:
    swept = {venue["label"]: hundredths(venue["swept"]) for venue in answer["venues"]}
    assert swept == {
        "HTX (Huobi) 35": "2,499.95", "HTX (Huobi) 33": "1,249.98", "HTX (Huobi) 34": "1,233.98", "FTX 2": "1,219.96",
    }  # fmt: skip
    through = {venue["label"]: set(venue["through"]) for venue in answer["venues"]}
    assert through == {venue: {a for a, of in DEPOSITS.items() if of == venue} for venue in swept}
    (ftx,) = ends(answer, address="0x036587e77eabe6a7e181886a5a6ed10dc25654f9")
    assert len(ftx["transfers"]) == 23
    assert all(end["rule_independent"] for end in ends(answer, stop="deposit address"))


def test_the_books_are_those_of_the_independent_calculation_and_close_to_the_wei(answer: dict[str, Any]) -> None:
    for books in answer["books"].values():
        figures = {part: int(units) for part, units in books.items()}
        assert figures.pop("lost") == sum(figures.values())
    assert {part: hundredths(units) for part, units in answer["books"]["pro_rata"].items()} == {
        "lost": "182,262.13", "ends": "181,303.89", "held": "739.33", "fees": "97.10", "not_followed": "121.81",
    }  # fmt: skip
    deposited = sum(int(end["amounts"]["pro_rata"]) for end in ends(answer, stop="deposit address"))
    assert hundredths(str(deposited)) == "6,203.89"


def test_the_envelope_holds_every_rule(answer: dict[str, Any]) -> None:
    for end in answer["ends"]:
        assert all(int(end["least"]) <= int(units) <= int(end["most"]) for units in end["amounts"].values()), end


def test_how_the_stolen_money_arrived_is_said_not_to_be_in_the_data(answer: dict[str, Any]) -> None:
    unseen = {one["address"]: one for one in answer["not_in_data"]}
    assert hundredths(unseen[EXPLOITER]["amounts"]["fifo"]) == "173,598.21"
    assert unseen[EXPLOITER]["loss"] == answer["losses"][0]["name"]
    assert answer["coverage"]["missing_kinds"] == ["internal", "token"]
    assert answer["partial"] is True
    assert {end["address"] for end in ends(answer, stop="not read")} == {
        "0x8b4959bc175d93d41d6ca278296ce714881c8b0f", "0xf49fa9956cd53c4581a974a7fd535a15c47b954a",
        "0xa9bfdc186c6bcf058fbb5bf62046d7bc74e96ce2", "0xcad001c30e96765ac90307669d578219d4fb1dce",
        "0x82906886796d110b7ec4c54f6611fb29128699dd",
    }  # fmt: skip


def test_no_more_is_asked_than_half_again_of_the_wallets_on_the_way(answer: dict[str, Any]) -> None:
    assert answer["requests"]["asked"] * 2 <= answer["requests"]["wallets"] * 3


@pytest.mark.skipif(
    not (SHARED / "tornado-events").is_dir(), reason="no shared/data/tornado-events beside the repository"
)
def test_each_deposit_into_the_mixer_is_among_the_mixers_own_events(answer: dict[str, Any]) -> None:
    with zipfile.ZipFile(SHARED / "tornado-events" / "deposits_eth_100.json.zip") as packed:
        events = {event["transactionHash"]: event for event in json.loads(packed.read(packed.namelist()[0]))}
    (mixer,) = ends(answer, address=TORNADO)
    source, ethereum = TransferFile(FACTS), Chain.named("ethereum")
    for transfer in mixer["transfers"]:
        tx = transfer.split(":")[1]
        (recorded,) = (one for one in source.transaction(ethereum, tx) if one.id.position == "tx")
        event = events[tx]
        assert (int(event["blockNumber"]), int(event["timestamp"])) == (recorded.block.number, recorded.block.time)
        assert recorded.units == 100 * ETH


@needs_ronin
def test_the_facts_that_ship_are_those_of_the_recording() -> None:
    told, coverage = facts()
    source = TransferFile(FACTS)
    shipped = {t.id: t for one in coverage for page in source.history(one.address) for t in page.transfers}
    assert len(shipped) == len(told) == 6_034
    for transfer in told:
        mine = shipped[transfer.id]
        assert (mine.block, mine.index, mine.asset, mine.inputs, mine.outputs, mine.method) == (
            transfer.block, transfer.index, transfer.asset, transfer.inputs, transfer.outputs, transfer.method,
        )  # fmt: skip
    for one in coverage:
        said = [page.coverage for page in source.history(one.address)][-1]
        assert said is not None
        assert (said.state, said.first, said.last, said.kinds) == (one.state, one.first, one.last, one.kinds)
    kept = [(x.address, x.entity, x.name, x.role, x.source, x.note) for x in read_labels(FACTS / "labels.csv").labels]
    assert kept == [(x.address, x.entity, x.name, x.role, x.source, x.note) for x in labels()]


@needs_ronin
@pytest.mark.slow
def test_the_whole_recording_gives_the_same_ends_and_says_which_answers_were_cut(
    answer: dict[str, Any], tmp_path: Path
) -> None:
    with Case.create(tmp_path / "wide.fundtrail", at=1) as case:
        case.pin_labels(read_labels(FACTS / "labels.csv"), at=1)
        wide = trace(case, Question(EXPLOITER), [EtherscanRecorded(SHARED / "ronin2022")], now=clock())
        assert case.verify() == []
    assert [(e["address"], e["stop"], e["amounts"], e["least"], e["most"]) for e in wide["ends"]] == [
        (e["address"], e["stop"], e["amounts"], e["least"], e["most"]) for e in answer["ends"]
    ]
    assert wide["books"] == answer["books"]
    cut = [problem for problem in wide["problems"] if "cap of 10,000 rows while saying OK" in problem["text"]]
    assert len(cut) == 10
    assert {one["state"] for one in wide["coverage"]["incomplete"]} == {"not recorded"}


def run(folder: Path, **environment: str) -> dict[str, bytes]:
    """`fundtrail demo --json` in a fresh interpreter: what it printed, and every export it wrote."""
    ran = subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--out", str(folder), "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, capture_output=True, check=True, cwd=folder.parent,
    )  # fmt: skip
    written = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        "stdout": ran.stdout,
        **{name: body for name, body in written.items() if not name.startswith("ronin2022.fund")},
    }


@pytest.mark.slow
def test_the_demo_gives_the_same_bytes_whatever_the_hash_seed_time_zone_and_locale(tmp_path: Path) -> None:
    settings = (
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "1", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
        {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kolkata", "LC_ALL": "ar_EG.UTF-8", "PYTHONUTF8": "0"},
    )
    first, *others = [run(tmp_path / str(n) / "out", **environment) for n, environment in _made(tmp_path, settings)]
    assert len(first) - sum("evidence/" in name for name in first) == 16
    json.loads(first["stdout"])
    for other in others:
        assert {name for name in first if first[name] != other.get(name)} == set()


def _made(tmp_path: Path, settings: tuple[dict[str, str], ...]) -> list[tuple[int, dict[str, str]]]:
    for n in range(len(settings)):
        (tmp_path / str(n)).mkdir()
    return list(enumerate(settings))


def test_the_order_of_the_rows_in_the_file_changes_nothing(answer: dict[str, Any], tmp_path: Path) -> None:
    shuffled = tmp_path / "facts"
    shutil.copytree(FACTS, shuffled)
    header, *rows = gzip.decompress((FACTS / "transfers.csv.gz").read_bytes()).splitlines(keepends=True)
    random.Random(7).shuffle(rows)
    (shuffled / "transfers.csv.gz").write_bytes(gzip.compress(b"".join([header, *rows])))
    with Case.create(tmp_path / "shuffled.fundtrail", at=1) as case:
        case.pin_labels(read_labels(FACTS / "labels.csv"), at=1)
        question = Question(EXPLOITER, victim="Ronin bridge")
        again = trace(case, question, [TransferFile(shuffled, name="file:ronin2022")], now=clock())

    def without_evidence(given: dict[str, Any]) -> str:
        """The rows' numbers in the file, which evidence names, do change."""
        return json.dumps({**given, "ends": [{**end, "evidence": []} for end in given["ends"]]}, sort_keys=True)

    assert without_evidence(again) == without_evidence(answer)
