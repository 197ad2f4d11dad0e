"""The Ronin case as a provider would give it: any address, oldest rows first, a thousand rows a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from connectors.etherscan.recorded import EtherscanRecorded
from connectors.protocol import Evidence, Page
from connectors.transfer_file import TransferFile
from tracer.coverage import Coverage, State
from tracer.values import Address, Chain, Transfer

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT.parent / "shared" / "data" / "ronin2022"
FACTS = ROOT / "cases" / "ronin2022"
ROWS = 1_000
ETHEREUM = Chain.named("ethereum")


class ThousandRows:
    """Answers from what was recorded, in pages of `ROWS`; whom nothing is recorded of costs one request too."""

    def __init__(self) -> None:
        self.whole = RECORDED.is_dir()
        names = ("ronin2022.jsonl.xz", "ronin2022.capped-10000.jsonl.xz")
        self._sources = [EtherscanRecorded(RECORDED / name) for name in names] if self.whole else [TransferFile(FACTS)]
        self._told: dict[Address, tuple[list[Transfer], Coverage]] = {}

    @property
    def name(self) -> str:
        return "thousand-rows:ronin2022"

    @property
    def chains(self) -> frozenset[Chain]:
        return frozenset({ETHEREUM})

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        rows, coverage = self.told(address)
        for number in range(int(after or 0), self.pages(address)):
            part = rows[number * ROWS : (number + 1) * ROWS]
            evidence = Evidence(f"{address} {number} {len(part)}".encode(), self.name, f"{address}, page {number}")
            cited = tuple(replace(row, evidence=(f"{evidence.id}#{at}",)) for at, row in enumerate(part))
            last = number + 1 == self.pages(address)
            told = replace(coverage, source=self.name, evidence=evidence.id) if last else None
            yield Page(cited, "" if last else str(number + 1), evidence, told)

    def pages(self, address: Address) -> int:
        """How many requests reading all of `address` takes."""
        rows, _ = self.told(address)
        return max(1, -(-len(rows) // ROWS))

    def told(self, address: Address) -> tuple[list[Transfer], Coverage]:
        """All rows about `address`, in order, and what they are."""
        if address not in self._told:
            answers = [list(source.history(address)) for source in self._sources]
            pages = min(answers, key=lambda pages: pages[-1].coverage.state if pages[-1].coverage else State.FAILED)
            rows = {row.id: row for page in pages for row in page.transfers}
            coverage = pages[-1].coverage
            assert coverage is not None
            self._told[address] = sorted(rows.values(), key=lambda row: row.order), coverage
        return self._told[address]
