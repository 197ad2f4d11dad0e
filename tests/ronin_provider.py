"""The recorded wallets of the Ronin theft, served as an Etherscan that gives 1,000 rows an answer.

    provider = RoninProvider()
    source = open_source("etherscan:ethereum", provider.network())
    ...; len(provider.requests)

All recorded rows together are the chain: a wallet's list holds each of them that names it, which for every recorded
wallet is the list that was recorded. Internal and token lists are empty, as they were not recorded. Needs the data
beside the repository (`DATA`); `hubs` adds the ten lists that were cut at 10,000 rows.
"""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from etherscan_provider import EtherscanProvider, Row
from explorer_chain import FILLER, Chain, Transaction

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "ronin2022"
_FILES = ("ronin2022.core.jsonl.gz", "ronin2022.jsonl.xz")
_HUBS = "ronin2022.capped-10000.jsonl.xz"
_MERGE, _MERGED_AT = 15_537_394, 1_663_224_179  # Ethereum's first block with twelve seconds between blocks


class _Ronin(Chain):
    def time_of(self, number: int) -> int:
        return _MERGED_AT + 12 * (number - _MERGE)


class RoninProvider(EtherscanProvider):
    """See the module. Options as for `EtherscanProvider`; `wallets` are those whose whole lists were recorded."""

    def __init__(self, *, hubs: bool = False, **options: Any) -> None:
        self._recorded: dict[str, Row] = {}
        self.wallets: list[str] = []
        for name in (*_FILES, *([_HUBS] if hubs else [])):
            for answer in _answers(DATA / name):
                rows = answer["body"]["result"]
                if isinstance(rows, list):
                    self._recorded.update({row["hash"]: row for row in rows})
                    self.wallets.append(answer["request"]["address"].lower())
        self.wallets = sorted(set(self.wallets))
        self._touching: dict[str, list[Row]] = {}
        rows = sorted(self._recorded.values(), key=lambda row: (int(row["blockNumber"]), int(row["transactionIndex"])))
        for row in rows:
            for address in {row["from"], row["to"], row["contractAddress"]} - {""}:
                self._touching.setdefault(address, []).append(row)
        super().__init__(
            _Ronin([_transaction(row) for row in rows], head=int(rows[-1]["blockNumber"]) + 100), **options
        )

    def rows(self, action: str, asked: dict[str, str]) -> Iterator[tuple[int, Row]]:
        if asked["address"] == FILLER:
            yield from super().rows(action, asked)
        elif action == "txlist":
            for row in self._touching.get(asked["address"], ()):
                block = int(row["blockNumber"])
                yield block, row | {"confirmations": str(self.chain.head - self.lag - block + 1)}


def _transaction(row: Row) -> Transaction:
    return Transaction(
        int(row["blockNumber"]), int(row["transactionIndex"]), row["from"], row["to"], int(row["value"]),
        row["isError"] == "1", made=row["contractAddress"], name=row["hash"],
    )  # fmt: skip


def _answers(path: Path) -> Iterator[Any]:
    with (lzma.open if path.suffix == ".xz" else gzip.open)(path, "rb") as stream:
        for line in stream:
            yield json.loads(line)


__all__ = ["DATA", "RoninProvider"]
