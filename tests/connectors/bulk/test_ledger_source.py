"""`ledger:FOLDER` keeps the promises of a source."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import ClassVar

import pytest

from bulk_batches import JsonReader, write
from connectors.bulk import source
from connectors.bulk.ingest import ingest
from connectors.bulk.source import LedgerFolder
from connectors.contract import ConnectorContract
from connectors.protocol import FindsTransactions
from notation import ETHEREUM, address, payment
from notation import transfers as drawn
from tracer.errors import InputError
from tracer.values import Address

DRAWN = "\n".join(f"{block} victim -> mule {block} gas 1\n{block} mule -> shop 2" for block in range(1, 6))


@pytest.fixture
def connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LedgerFolder:
    monkeypatch.setattr(source, "PER_PAGE", 4)
    path = write(tmp_path / "drawn.jsonl", drawn(DRAWN))
    ingest([path], tmp_path / "ledger", reader=JsonReader(ETHEREUM))
    return LedgerFolder(tmp_path / "ledger")


class TestLedgerFolder(ConnectorContract):
    """The promises of every source."""

    KIND = "ledger"
    SUPPORTS: ClassVar = {
        "native": "yes: where an extract had it",
        "internal": "yes: where an extract had it",
        "token": "yes: where an extract had it",
        "order": "yes: as the extract tells it",
        "balances": "no: an extract holds transfers",
        "completeness proof": "no: `--whole` is its owner's statement",
    }

    @pytest.fixture
    def address(self) -> Address:
        return address("mule")

    @pytest.fixture
    def unknown_address(self) -> Address:
        return address("nobody")


def test_a_page_s_evidence_holds_its_transfers_with_the_rows_they_came_from(connector: LedgerFolder) -> None:
    pages = list(connector.history(address("mule")))
    assert [len(page.transfers) for page in pages] == [4, 4, 2]
    digest = hashlib.sha256(write(Path(connector.ledger.files.folder) / "again", drawn(DRAWN)).read_bytes()).hexdigest()
    for page in pages:
        assert page.evidence is not None
        for line in page.evidence.body.decode().splitlines():
            assert json.loads(line)["source"].startswith(f"sha256:{digest}#")


def test_a_transaction_is_found_by_its_hash(connector: LedgerFolder) -> None:
    assert isinstance(connector, FindsTransactions)
    found = connector.transaction(ETHEREUM, payment(3).tx)
    assert [one.id for one in found] == [payment(3), payment(3, position="fee")]


def test_a_cursor_that_is_none_is_refused(connector: LedgerFolder) -> None:
    with pytest.raises(InputError, match="no page after"):
        list(connector.history(address("mule"), "17"))
