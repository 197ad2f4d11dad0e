"""Real recorded answers: every one of them is read, and says of itself what it is."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlparse

import pytest

from connectors.etherscan.recorded import EtherscanRecorded
from connectors.protocol import Page
from tracer.addresses import parse
from tracer.coverage import Kind, State
from tracer.values import Address, Chain, SinkKind

DATA = Path(__file__).parents[2].parent / "shared" / "data"
RONIN, FIXTURES = DATA / "ronin2022", DATA / "api-fixtures"
ETH = Chain.named("ethereum")
EXPLOITER = parse("0x098b716b8aaf21512996dc57eb0615e2383e2f96", ETH)

needs_data = pytest.mark.skipif(not DATA.exists(), reason="the real data is not beside the repository")


def addresses_in(path: Path) -> list[Address]:
    """Whom the lines of the file are about, by plain JSON and not by our reader."""
    import lzma

    with (lzma.open if path.suffix == ".xz" else gzip.open)(path, "rb") as stream:
        return [parse(json.loads(line)["request"]["address"], ETH) for line in stream]


def histories(source: EtherscanRecorded, addresses: list[Address]) -> list[Page]:
    return [page for address in addresses for page in source.history(address)]


@needs_data
@pytest.mark.parametrize(
    ("name", "answers", "rows", "state"),
    [
        ("ronin2022.core.jsonl.gz", 72, 4_007, State.READ),
        ("ronin2022.jsonl.xz", 134, 21_254, State.READ),
        pytest.param("ronin2022.capped-10000.jsonl.xz", 10, 100_000, State.CUT, marks=pytest.mark.slow),
    ],
)
def test_every_answer_of_the_ronin_recordings_is_read(name: str, answers: int, rows: int, state: State) -> None:
    source = EtherscanRecorded(RONIN / name)
    addresses = addresses_in(RONIN / name)
    assert len(addresses) == answers
    total = 0
    for address in addresses:  # one at a time: a hub's page is large
        (page,) = source.history(address)
        assert page.problems == ()
        assert page.coverage is not None
        assert page.coverage.state is state
        total += page.coverage.rows
    assert total == rows
    cut = [problem.text for problem in source.problems]
    assert len(cut) == (len(addresses) if state is State.CUT else 0)
    assert all(" rows while saying OK" in text for text in cut)


@needs_data
def test_the_core_recording_holds_3755_transactions() -> None:
    path = RONIN / "ronin2022.core.jsonl.gz"
    pages = histories(EtherscanRecorded(path), addresses_in(path))
    assert len({transfer.id.tx for page in pages for transfer in page.transfers}) == 3755


@needs_data
def test_the_exploiter_sent_out_what_was_published() -> None:
    (page,) = EtherscanRecorded(RONIN / "ronin2022.core.jsonl.gz").history(EXPLOITER)
    sent = sum(t.units for t in page.transfers if t.id.position == "tx" and t.inputs[0].address == EXPLOITER)
    assert sent == 182_165_956_030_000_000_000_000  # published as 182,165.96 ETH
    assert page.coverage is not None
    assert (page.coverage.first, page.coverage.last) == (0, 18_183_908)
    assert page.coverage.missing == (Kind.INTERNAL, Kind.TOKEN)
    fees = [t for t in page.transfers if t.id.position == "fee"]
    assert {t.outputs[0].holding.kind for t in fees} == {SinkKind.FEE}  # type: ignore[union-attr]


@needs_data
def test_one_hub_cut_at_10000_rows_says_so_and_where() -> None:
    path = RONIN / "ronin2022.capped-10000.jsonl.xz"
    hub = parse("0x4976a4a02f38326660d17bf34b431dc6e2eb2327", ETH)
    (page,) = EtherscanRecorded(path).history(hub)
    assert page.coverage is not None
    assert (page.coverage.state, page.coverage.rows) == (State.CUT, 10_000)
    assert page.coverage.last == max(t.block.number for t in page.transfers) - 1


def rotki() -> list[dict[str, Any]]:
    """The recordings of rotki in our shape: {request, body, recorded_at}."""
    with gzip.open(FIXTURES / "rotki-recordings" / "etherscan-v2.jsonl.gz") as stream:
        records = [json.loads(line) for line in stream]
    answers = []
    for record in records:
        request = dict(parse_qsl(urlparse(record["uri"]).query))
        if request.get("action") in ("txlist", "txlistinternal", "tokentx") and "address" in request:
            answers.append(
                {"request": request, "body": json.loads(record["response"]), "http_status": record["status"]}
            )
    return answers


@needs_data
def test_the_v2_answers_that_rotki_recorded_are_classified(tmp_path: Path) -> None:
    answers = rotki()
    assert len(answers) == 71
    seen: Counter[str] = Counter()
    for number, answer in enumerate(answers):
        path = tmp_path / f"{number}.jsonl"
        path.write_text(json.dumps(answer) + "\n")
        source = EtherscanRecorded(path)
        if not source.chains:  # the checksum of one of rotki's own test addresses is wrong
            assert "0x6c66149E65c517605e0a2e4F707550ca342f9c1B" in source.problems[0].text
            seen["refused"] += 1
            continue
        (chain,) = source.chains
        (page,) = source.history(parse(answer["request"]["address"], chain))
        assert page.coverage is not None
        seen[page.coverage.state.word] += 1
        rows = answer["body"]["result"]
        assert page.coverage.rows == (len(rows) if isinstance(rows, list) else 0)
        unread = [problem for problem in page.problems if problem.where]
        assert bool(unread) == (page.coverage.state is State.FAILED)
        if page.coverage.state is State.FAILED:
            assert "Free API access is not supported for this chain" in page.coverage.reason
    assert seen == {"empty": 37, "read": 15, "cut": 14, "failed": 2, "refused": 3}


@needs_data
@pytest.mark.parametrize(
    ("name", "action", "rows", "state"),
    [
        ("get_normal_txs_by_address", "txlist", 41, State.READ),
        ("get_normal_txs_by_address_paginated", "txlist", 10, State.CUT),
        ("get_internal_txs_by_address", "txlistinternal", 66, State.READ),
        ("get_internal_txs_by_address_paginated", "txlistinternal", 10, State.CUT),
        ("get_erc20_token_transfer_events_by_address", "tokentx", 1209, State.READ),
        ("get_erc20_token_transfer_events_by_address_and_contract_paginated", "tokentx", 35, State.UNSTATED),
    ],
)
def test_v1_answers_of_2020_are_read(tmp_path: Path, name: str, action: str, rows: int, state: State) -> None:
    record = json.loads((FIXTURES / "etherscan-v1-python" / f"{name}.json").read_text())
    asked = {key.replace("contract_address", "contractaddress"): str(value) for key, value in record["kwargs"].items()}
    body = {"status": "1", "message": "OK", "result": record["res"]}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"request": {"action": action} | asked, "body": body}))
    (page,) = EtherscanRecorded(path).history(parse(asked["address"], ETH))
    assert [problem for problem in page.problems if problem.where] == []
    assert page.coverage is not None
    assert (page.coverage.state, page.coverage.rows) == (state, rows)
    assert page.transfers
