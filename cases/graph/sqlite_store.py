"""The embedded graph store: one SQLite file beside a case, derived from it and made anew whenever it is not whole."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cases.codec import (
    TransferReader,
    address_json,
    address_of,
    canonical,
    judgement_json,
    judgement_of,
    label_json,
    label_of,
    loss_json,
    loss_of,
    readable,
    transfer_text,
)
from cases.graph.batching import batches
from cases.graph.codec import (
    flow_json,
    flow_of,
    legs_of,
    rest_json,
    rest_of,
    trace_json,
    trace_of,
)
from cases.graph.escaping import escaped, key, unescaped
from cases.graph.nouns import Cluster, Payment, Place, TraceRecord, order_of
from cases.sqlite_file import told
from tracer.errors import CaseConflict, CaseDamaged
from tracer.judgements import Judgement
from tracer.labels import Label
from tracer.losses import Loss
from tracer.values import Address, Chain, Transfer, TransferId, units_of

APPLICATION_ID = 0x46544752  # "FTGR"
VERSION = 1
BATCH = 2_000
AT_ONCE = 5_000  # places in one question

# Facts, claims, inferences and decisions in tables of their own. Texts are `escaped`, `body` is JSON.
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE places (p INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, asset TEXT NOT NULL, text TEXT NOT NULL,
    kind TEXT NOT NULL) STRICT;
CREATE TABLE transfers (t INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, told TEXT NOT NULL, ord TEXT NOT NULL,
    asset TEXT NOT NULL, block INTEGER NOT NULL, time INTEGER NOT NULL, place INTEGER NOT NULL, pooled INTEGER NOT NULL,
    body TEXT NOT NULL) STRICT;
CREATE INDEX transfers_in_order ON transfers (ord, t);
CREATE TABLE legs (t INTEGER NOT NULL REFERENCES transfers, side INTEGER NOT NULL, p INTEGER NOT NULL REFERENCES places,
    units TEXT NOT NULL, PRIMARY KEY (t, side, p)) STRICT, WITHOUT ROWID;
CREATE INDEX legs_by_place ON legs (p, side, t);
CREATE TABLE labels (body TEXT PRIMARY KEY) STRICT;
CREATE TABLE losses (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE judgements (body TEXT PRIMARY KEY) STRICT;
CREATE TABLE clusters (body TEXT PRIMARY KEY) STRICT;
CREATE TABLE traces (id TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE flows (trace TEXT NOT NULL REFERENCES traces, n INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (trace, n)) STRICT, WITHOUT ROWID;
CREATE TABLE ends (trace TEXT NOT NULL REFERENCES traces, n INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (trace, n)) STRICT, WITHOUT ROWID;
"""


class SqliteGraph:
    """A `protocol.GraphStore` in a file only its owner can read, or in memory where `path` is None.

    >>> graph = SqliteGraph()
    >>> graph.write_addresses([Address(Chain.named("ethereum"), "0xa")])
    >>> [one.text for one in graph.addresses()]
    ['0xa']
    >>> graph.close()
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the file, or make it. `CaseDamaged` if it is not one of ours, or of another version."""
        self.path = path
        if path is not None and not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with self._told():
            self._db = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=3.0)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise
        self._places: dict[str, int] = {}

    def _prepare(self) -> None:
        (application,), (version,) = (
            self._db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        self._db.execute("PRAGMA trusted_schema=OFF")
        self._db.execute("PRAGMA foreign_keys=ON")
        fresh = not self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if not fresh and (application, version) != (APPLICATION_ID, VERSION):
            raise CaseDamaged(f"{self.path} is not a graph of this version", "delete it: it is made from the case anew")
        if self.path is not None:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # derived: a lost tail is written again
        if fresh:
            with self.writing():
                for statement in filter(str.strip, SCHEMA.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id={APPLICATION_ID}")
                self._db.execute(f"PRAGMA user_version={VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        with told(self.path or Path(":memory:")):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; inside another it is part of that one."""
        if self._db.in_transaction:
            yield
            return
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._places.clear()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._told():
            return self._db.execute(sql, values).fetchall()

    def mark(self, name: str, value: str) -> None:
        """Remember how far filling this store has come."""
        with self.writing():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def marked(self, name: str) -> str:
        """What was remembered under that name, "" for nothing."""
        found = self.rows("SELECT value FROM meta WHERE name = ?", name)
        return str(found[0][0]) if found else ""

    # Facts.

    def write_addresses(self, addresses: Iterable[Address]) -> None:
        """See `protocol.GraphStore`."""
        for batch in batches(addresses, BATCH):
            with self.writing():
                for address in batch:
                    self._place(Place.of(address))

    def _place(self, place: Place) -> int:
        known = self._places.get(place.key)
        if known is None:
            made = key(place.key), escaped(place.asset), escaped(place.text), place.kind
            self._db.execute("INSERT OR IGNORE INTO places (key, asset, text, kind) VALUES (?, ?, ?, ?)", made)
            ((known,),) = self._db.execute("SELECT p FROM places WHERE key = ?", made[:1])
            if len(self._places) > 100_000:  # flat memory before speed
                self._places.clear()
            self._places[place.key] = known
        return int(known)

    def write_transfers(self, transfers: Iterable[Transfer]) -> None:
        """See `protocol.GraphStore`."""
        for batch in batches(transfers, BATCH):
            with self.writing():
                for transfer in batch:
                    self._transfer(transfer)

    def _transfer(self, transfer: Transfer) -> None:
        paid, got = legs_of(transfer)
        id = [transfer.id.chain.name, transfer.id.tx, transfer.id.position]
        body = canonical([id, json.loads(transfer_text(transfer)), list(transfer.evidence)])
        row = (
            key(canonical(id)), escaped(str(transfer.id)), order_of(transfer), escaped(transfer.asset.name),
            *(min(n, 2**63 - 1) for n in (transfer.block.number, transfer.block.time)), transfer.index,
            len(paid) > 1, body,
        )  # fmt: skip
        self._db.execute(
            "INSERT INTO transfers (id, told, ord, asset, block, time, place, pooled, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET ord = excluded.ord,"
            " place = excluded.place, body = excluded.body",
            row,
        )
        ((t,),) = self._db.execute("SELECT t FROM transfers WHERE id = ?", row[:1])
        legs = [
            (t, side, self._place(place), str(units)) for side, all in ((0, paid), (1, got)) for place, units in all
        ]
        self._db.executemany("INSERT OR IGNORE INTO legs VALUES (?, ?, ?, ?)", legs)

    def delete_transfers(self, ids: Iterable[TransferId]) -> None:
        """See `protocol.GraphStore`."""
        for batch in batches(ids, BATCH):
            with self.writing():
                gone = [(key(canonical([one.chain.name, one.tx, one.position])),) for one in batch]
                self._many("DELETE FROM legs WHERE t = (SELECT t FROM transfers WHERE id = ?)", gone)
                self._many("DELETE FROM transfers WHERE id = ?", gone)

    def delete_unnamed_places(self) -> None:
        """See `protocol.GraphStore`."""
        with self.writing():
            named = {key(place.key) for place in self._named()}
            found = self.rows("SELECT key FROM places WHERE NOT EXISTS (SELECT 1 FROM legs WHERE legs.p = places.p)")
            self._many("DELETE FROM places WHERE key = ?", [one for one in found if one[0] not in named])
            self._places.clear()

    def _named(self) -> Iterator[Place]:
        """The places that anything but a transfer names."""
        yield from (Place.of(one.address) for one in self.labels())
        yield from (Place.of(one.wallet) for one in self.losses() if one.wallet)
        yield from (Place.of(side) for one in self.judgements() for side in (one.left, one.right))
        yield from (Place.of(member) for one in self.clusters() for member in one.members)
        for _, id in self.traces():
            trace = self.trace(id)
            yield from (side for one in trace.flows for side in (one.source, one.target))
            yield from (one.place for one in trace.ends)

    def addresses(self) -> Iterator[Address]:
        """See `protocol.GraphStore`."""
        found = self.rows("SELECT asset, text FROM places WHERE kind = 'address'")
        yield from sorted(Address(Chain.named(chain), unescaped(text)) for chain, text in found)

    def transfers(self) -> Iterator[Transfer]:
        """See `protocol.GraphStore`."""
        reader, last = TransferReader(), ("", -1)
        while True:
            found = self.rows(
                "SELECT ord, t, body FROM transfers WHERE (ord, t) > (?, ?) ORDER BY ord, t LIMIT ?", *last, BATCH
            )
            for _, _, text in found:
                with readable("a transfer of the graph"):
                    id, body, evidence = json.loads(text)
                    transfer = reader.read(id, body, tuple(evidence))
                yield transfer
            if len(found) < BATCH:
                return
            last = found[-1][:2]

    def payments(
        self, places: Collection[Place], *, out: bool, since: int | None = None, until: int | None = None,
        asset: str | None = None,
    ) -> list[Payment]:  # fmt: skip
        """See `protocol.GraphStore`."""
        wanted, found = sorted({key(place.key) for place in places}), list[Payment]()
        for at in range(0, len(wanted), AT_ONCE):
            asked = wanted[at : at + AT_ONCE]
            rows = self.rows(
                "SELECT ord, told, m.asset, m.text, m.kind, o.asset, o.text, o.kind, transfers.asset, mine.units,"
                " other.units, block, time, place, pooled FROM places AS m"
                " JOIN legs AS mine ON mine.p = m.p AND mine.side = ?"
                " JOIN transfers ON transfers.t = mine.t"
                " JOIN legs AS other ON other.t = mine.t AND other.side = ?"
                " JOIN places AS o ON o.p = other.p"
                " WHERE m.key IN (SELECT value FROM json_each(?)) AND o.p <> m.p"
                " AND block >= ? AND block <= ? AND (? IS NULL OR transfers.asset = ?)",
                0 if out else 1, 1 if out else 0, canonical(asked),
                -1 if since is None else since, 2**62 if until is None else until,
                *((None, None) if asset is None else (escaped(asset),) * 2),
            )  # fmt: skip
            found += [_payment(row, out) for row in rows]
        return sorted(found, key=lambda one: (one.order, one.source, one.target))

    # Claims, decisions and inferences.

    def write_labels(self, labels: Iterable[Label]) -> None:
        """See `protocol.GraphStore`."""
        for batch in batches(labels, BATCH):
            with self.writing():
                self._many("INSERT OR IGNORE INTO labels VALUES (?)", [(canonical(label_json(one)),) for one in batch])
                for one in batch:
                    self._place(Place.of(one.address))

    def labels(self) -> Iterator[Label]:
        """See `protocol.GraphStore`."""
        yield from (label_of(json.loads(body)) for (body,) in self.rows("SELECT body FROM labels ORDER BY body"))

    def write_losses(self, losses: Iterable[Loss]) -> None:
        """See `protocol.GraphStore`."""
        with self.writing():
            rows = [(escaped(one.name), canonical(loss_json(one))) for one in losses]
            self._many("INSERT OR REPLACE INTO losses VALUES (?, ?)", rows)
            for _, body in rows:
                wallet = loss_of(json.loads(body)).wallet
                if wallet is not None:
                    self._place(Place.of(wallet))

    def losses(self) -> Iterator[Loss]:
        """See `protocol.GraphStore`."""
        found = [loss_of(json.loads(body)) for (body,) in self.rows("SELECT body FROM losses")]
        yield from sorted(found, key=lambda one: one.name)

    def write_judgements(self, judgements: Iterable[Judgement]) -> None:
        """See `protocol.GraphStore`."""
        with self.writing():
            self._db.execute("DELETE FROM judgements")
            for batch in batches(judgements, BATCH):
                rows = [(canonical(judgement_json(one)),) for one in batch]
                self._many("INSERT OR IGNORE INTO judgements VALUES (?)", rows)
                for one in batch:
                    self._place(Place.of(one.left))
                    self._place(Place.of(one.right))

    def judgements(self) -> Iterator[Judgement]:
        """See `protocol.GraphStore`."""
        yield from sorted(judgement_of(json.loads(body)) for (body,) in self.rows("SELECT body FROM judgements"))

    def write_clusters(self, clusters: Iterable[Cluster]) -> None:
        """See `protocol.GraphStore`."""
        with self.writing():
            self._db.execute("DELETE FROM clusters")
            for one in clusters:
                self._db.execute(
                    "INSERT OR IGNORE INTO clusters VALUES (?)", (canonical([address_json(a) for a in one.members]),)
                )
                for member in one.members:
                    self._place(Place.of(member))

    def clusters(self) -> Iterator[Cluster]:
        """See `protocol.GraphStore`."""
        found = (json.loads(body) for (body,) in self.rows("SELECT body FROM clusters"))
        yield from sorted(Cluster(tuple(address_of(one) for one in members)) for members in found)

    def write_trace(self, trace: TraceRecord) -> None:
        """See `protocol.GraphStore`."""
        with self.writing():
            self._delete(trace.id)
            self._db.execute("INSERT INTO traces VALUES (?, ?, ?)", (trace.id, trace.at, canonical(trace_json(trace))))
            flows = [(trace.id, n, canonical(flow_json(one))) for n, one in enumerate(trace.flows)]
            ends = [(trace.id, n, canonical(rest_json(one))) for n, one in enumerate(trace.ends)]
            self._many("INSERT INTO flows VALUES (?, ?, ?)", flows)
            self._many("INSERT INTO ends VALUES (?, ?, ?)", ends)
            for place in [
                *(p for one in trace.flows for p in (one.source, one.target)),
                *(e.place for e in trace.ends),
            ]:
                self._place(place)

    def delete_trace(self, id: str) -> bool:
        """See `protocol.GraphStore`."""
        with self.writing():
            return self._delete(id)

    def _delete(self, id: str) -> bool:
        for table in ("flows", "ends"):
            self._db.execute(f"DELETE FROM {table} WHERE trace = ?", (id,))  # noqa: S608  our own names
        return self._db.execute("DELETE FROM traces WHERE id = ?", (id,)).rowcount > 0

    def traces(self) -> list[tuple[int, str]]:
        """See `protocol.GraphStore`."""
        return self.rows("SELECT at, id FROM traces ORDER BY at, id")

    def trace(self, id: str) -> TraceRecord:
        """See `protocol.GraphStore`."""
        found = self.rows("SELECT body FROM traces WHERE id = ?", id)
        if not found:
            raise CaseConflict(f"there is no trace {id:.80}", "the traces: `GraphStore.traces()`")
        flows, ends = (
            [json.loads(body) for (body,) in self.rows(sql, id)]
            for sql in (
                "SELECT body FROM flows WHERE trace = ? ORDER BY n",
                "SELECT body FROM ends WHERE trace = ? ORDER BY n",
            )
        )
        return trace_of(json.loads(found[0][0]), map(flow_of, flows), map(rest_of, ends))

    def _many(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._db.executemany(sql, rows)


def _payment(row: tuple[Any, ...], out: bool) -> Payment:
    order, told, *six, asset, mine, other, block, time, place, pooled = row
    one, two = (Place(unescaped(six[at]), unescaped(six[at + 1]), six[at + 2]) for at in (0, 3))
    source, target, units = (one, two, other) if out else (two, one, mine)
    return Payment(
        order, unescaped(told), source, target, unescaped(asset), units_of(units), block, time, place,
        bool(pooled),
    )  # fmt: skip
