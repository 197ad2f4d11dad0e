"""Which transactions touch which script, from blocks read one by one: for nodes that have no such index themselves.

One SQLite file, which every process on this machine shares and which grows with the chain. It holds no amounts and
no addresses, only short hashes of scripts and where in the chain to look: what is found there is read from the node.
"""

from __future__ import annotations

import hashlib
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.bitcoin.rows import Point, objects, point_of
from connectors.fields import number_in, text_in
from tracer.errors import BadRow
from tracer.values import Chain

_TABLES = """
CREATE TABLE IF NOT EXISTS blocks (height INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS touches (
    key BLOB, height INTEGER, place INTEGER, PRIMARY KEY (key, height, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS coins (key BLOB, coin BLOB, PRIMARY KEY (key, coin)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (spent INTEGER PRIMARY KEY) STRICT;
"""
_PLACES = """
SELECT height, place, hash FROM (
    SELECT height, place FROM touches WHERE key = :key
    UNION SELECT height, place FROM coins JOIN touches ON touches.key = coin WHERE coins.key = :key
) JOIN blocks USING (height) WHERE height BETWEEN :first AND :last ORDER BY height, place
"""


class BlockIndex:
    """The index of one chain, in the file `path`, or in memory without one. It holds one run of blocks."""

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = sqlite3.connect(str(path) if path else ":memory:", timeout=60, isolation_level=None)
        self._closing = weakref.finalize(self, self._file.close)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._closing()

    @property
    def lowest(self) -> int | None:
        """The first block it has, None if it has none."""
        return self._one("SELECT min(height) FROM blocks")

    @property
    def highest(self) -> int | None:
        """The last block it has, None if it has none."""
        return self._one("SELECT max(height) FROM blocks")

    def hash(self, height: int) -> str:
        """The hash of that block, "" where it has none."""
        row = self._file.execute("SELECT hash FROM blocks WHERE height = ?", (height,)).fetchone()
        return str(row[0]) if row else ""

    def forget(self, first: int) -> None:
        """Drop the blocks from `first` on: the chain has others there now."""
        self._file.execute("BEGIN IMMEDIATE")
        for table in ("touches", "blocks"):
            self._file.execute(f"DELETE FROM {table} WHERE height >= ?", (first,))  # noqa: S608  of two names
        self._file.execute("COMMIT")

    def add(self, blocks: Iterable[Mapping[str, Any]], chain: Chain) -> None:
        """Add decoded blocks, one after the other, and after those it has; another process may have added them."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            for block in blocks:
                self._add(block, chain)
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def _add(self, block: Mapping[str, Any], chain: Chain) -> None:
        height, highest = number_in(block, "height"), self.highest
        if highest is not None and height <= highest and self.hash(height) == text_in(block, "hash"):
            return
        if highest is not None and (height != highest + 1 or block.get("previousblockhash") != self.hash(highest)):
            raise BadRow(f"block {height} does not follow block {highest}", "the chain changed; ask again")
        try:
            txs = objects(block, "tx")
        except BadRow:
            raise BadRow(f"block {height} does not tell its transactions", "the node's getblock knows no 2") from None
        self._file.execute("INSERT INTO blocks VALUES (?, ?)", (height, text_in(block, "hash")))
        touches: list[tuple[bytes, int, int]] = []
        coins: list[tuple[bytes, bytes]] = []
        told = self.told
        for place, tx in enumerate(txs):
            for number, output in enumerate(objects(tx, "vout")):
                script = _script(output)
                if script and not script.startswith("6a"):
                    key = key_of(script)
                    touches.append((key, height, place))
                    if not told:
                        coins.append((key, _coin((text_in(tx, "txid"), number))))
            for one in objects(tx, "vin"):
                if "coinbase" in one or one.get("ismweb"):
                    continue
                spent = _script(one["prevout"]) if isinstance(one.get("prevout"), dict) else ""
                told = told or bool(spent)
                touches.append((key_of(spent) if spent else _coin(point_of(one, chain)), height, place))
        if told and not self.told:
            self._file.execute("INSERT INTO told VALUES (1)")
        self._file.executemany("INSERT OR IGNORE INTO touches VALUES (?, ?, ?)", touches)
        self._file.executemany("INSERT OR IGNORE INTO coins VALUES (?, ?)", coins)

    @property
    def told(self) -> bool:
        """Whether the node tells what inputs spend; where it does not, coins are kept until they are spent."""
        return self._one("SELECT count(*) FROM told") != 0

    def places(self, script: bytes, first: int, last: int) -> Iterator[tuple[int, str, int]]:
        """Block, its hash and the place in it of every transaction that pays to `script`, or spends from it."""
        asked = {"key": key_of(script.hex()), "first": first, "last": last}
        for height, place, hash in self._file.execute(_PLACES, asked):
            yield height, hash, place

    def _one(self, sql: str) -> int | None:
        found: int | None = self._file.execute(sql).fetchone()[0]
        return found


def key_of(script: str) -> bytes:
    """The short hash of a script in hex. Two scripts may share one: what is looked up is then read, and not taken."""
    return hashlib.sha256(script.lower().encode()).digest()[:8]


def _coin(point: Point) -> bytes:
    return hashlib.sha256(f"{point[0]}:{point[1]}".encode()).digest()[:8]


def _script(output: Mapping[str, Any]) -> str:
    script = output.get("scriptPubKey")
    return text_in(script, "hex", "") if isinstance(script, dict) else ""


__all__ = ["BlockIndex", "key_of"]
