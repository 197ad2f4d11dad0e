"""What the pages on sources show is read as they say."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.etherscan.answers import CHAIN_IDS
from connectors.etherscan.recorded import EtherscanRecorded
from connectors.sources import KINDS
from connectors.transfer_file import TransferFile
from connectors.transfer_rows import COLUMNS, COVERAGE_COLUMNS
from tracer.addresses import parse
from tracer.coverage import State
from tracer.values import CHAINS, Chain

DOCS = Path(__file__).parents[2] / "docs"
ETH, BTC = Chain.named("ethereum"), Chain.named("bitcoin")
EXPLOITER = parse("0x098b716b8aaf21512996dc57eb0615e2383e2f96", ETH)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def test_the_transfer_files_shown_are_read(tmp_path: Path) -> None:
    rows, coverage = blocks("transfer-files.md", "csv")
    (tmp_path / "transfers.csv").write_text(rows)
    (tmp_path / "coverage.csv").write_text(coverage)
    (tmp_path / "transfers.jsonl").write_text(blocks("transfer-files.md", "json")[0])
    source = TransferFile(tmp_path)
    assert source.problems == []
    (page,) = source.history(EXPLOITER)
    assert [str(t.id.position) for t in page.transfers] == ["tx", "fee", "log:7"]
    assert page.problems == ()
    assert page.coverage is not None
    assert (page.coverage.state, page.coverage.last) == (State.READ, 18183908)
    (page,) = source.history(parse("1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3", BTC))
    assert [t.units for t in page.transfers] == [5_000_000_000]
    assert page.coverage is not None
    assert page.coverage.state is State.READ


def test_every_column_and_every_state_is_explained() -> None:
    text = (DOCS / "transfer-files.md").read_text()
    explained = {
        name for line in text.splitlines() if line.startswith("| ") for name in re.findall(r"\w+", line.split("|")[1])
    }
    assert set(COLUMNS) | set(COVERAGE_COLUMNS) <= explained
    assert all(f"`{state.word}`" in text for state in State)


def test_the_recorded_answer_shown_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(blocks("sources.md", "json")[0])
    (page,) = EtherscanRecorded(tmp_path / "a.jsonl").history(EXPLOITER)
    assert page.coverage is not None
    assert page.coverage.state is State.EMPTY


def test_every_kind_of_source_is_in_the_table() -> None:
    assert all(f"| `{kind}` |" in (DOCS / "sources.md").read_text() for kind in KINDS)


def test_every_chain_of_etherscan_is_one_of_ours() -> None:
    assert set(CHAIN_IDS.values()) <= set(CHAINS)
    assert len(set(CHAIN_IDS.values())) == len(CHAIN_IDS)
