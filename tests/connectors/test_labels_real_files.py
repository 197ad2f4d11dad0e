"""The real label lists: every row accounted for, and the errors known to be in them reported."""

import csv
import json
import re
from pathlib import Path

import pytest

from connectors.labels import LabelFile, read_labels
from tracer.labels import Role

LABELS = Path(__file__).resolve().parents[3] / "shared" / "data" / "labels"
pytestmark = pytest.mark.skipif(not LABELS.is_dir(), reason="the real label files are not beside this repository")


def files(pattern: str) -> list[Path]:
    return sorted(LABELS.glob(pattern))


def adds_up(read: LabelFile, rows: int) -> None:
    """`rows` is counted here by other means than the reader's."""
    with_labels = {label.evidence for label in read.labels}
    assert len(with_labels) + len(read.rejected) + len(read.skipped) == read.rows == rows
    wheres = [problem.where for problem in read.rejected + read.skipped]
    assert len(set(wheres)) == len(wheres)


@pytest.mark.parametrize("path", files("evm-explorers/*.json"), ids=lambda path: path.name)
def test_explorer_tags_add_up(path: Path) -> None:
    adds_up(read_labels(path), len(json.loads(path.read_bytes())))


@pytest.mark.parametrize("path", files("ofac/*.txt"), ids=lambda path: path.name)
def test_ofac_lists_add_up(path: Path) -> None:
    adds_up(read_labels(path), len(path.read_text().split()))


@pytest.mark.parametrize("path", files("**/*.csv"), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_tables_add_up(path: Path) -> None:
    with path.open(newline="") as lines:
        rows = sum(1 for _ in csv.DictReader(lines))
    adds_up(read_labels(path), rows)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.slow] if path.stat().st_size > 500_000 else [], id=path.name)
        for path in files("tagpacks/*.yaml")
    ],
)
def test_tagpacks_add_up(path: Path) -> None:
    tags = len(re.findall(r"^\s*(?:- +)?address:", path.read_text(), re.MULTILINE))
    read = read_labels(path)
    adds_up(read, tags)
    assert read.labels or read.skipped


def test_huobi_ftx_and_tornado_cash_have_their_roles_on_etherscan() -> None:
    read = read_labels(LABELS / "evm-explorers/etherscan-combinedAccountLabels.json")
    found: dict[tuple[str, str, str], set[Role]] = {}
    for label in read.labels:
        if label.name in {"Huobi 35", "FTX Exchange 2", "Tornado.Cash: Router"}:
            found.setdefault((label.name, label.address.text, label.entity), set()).add(label.role)
    assert found == {
        ("Huobi 35", "0x73f8fc2e74302eb2efda125a326655acf0dc2d1b", "Huobi"): {Role.EXCHANGE},
        ("FTX Exchange 2", "0xc098b2a3aa256d2140208c3de6543aaef5cd3a94", "FTX Exchange"): {Role.EXCHANGE},
        ("Tornado.Cash: Router", "0xd90e2f925da726b50c4ed8d0fb90ad053324f31b", "Tornado.Cash"): {
            Role.MIXER,
            Role.SANCTIONED,
        },
    }


def test_what_is_wrong_with_the_exchange_wallets_is_reported_chain_by_chain() -> None:
    path = LABELS / "cex-dune/cex_addresses.csv"
    with path.open(newline="") as lines:
        rows = list(csv.reader(lines))
    wrong: dict[str, list[str]] = {}
    for problem in read_labels(path).rejected:
        row = rows[int(problem.where.rpartition(" ")[2]) - 1]
        wrong.setdefault(row[0], []).append("tron" if "this is a tron address" in problem.text else "broken")
    assert {chain: (kinds.count("broken"), kinds.count("tron")) for chain, kinds in wrong.items()} == {
        "bitcoin": (1, 7),  # one written in small letters; seven Tron addresses listed under Bitcoin
        "tron": (9, 0),
        "litecoin": (1110, 0),  # not one is an address: most are pieces cut out of other chains' addresses in the list
    }


def test_the_sanctioned_tron_address_on_the_bitcoin_list_is_reported_and_not_loaded() -> None:
    read = read_labels(LABELS / "ofac/sanctioned_addresses_XBT.txt")
    assert (len(read.labels), [problem.where for problem in read.rejected]) == (
        434,
        ["sanctioned_addresses_XBT.txt, line 355"],
    )
