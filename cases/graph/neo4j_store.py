"""The graph of a case in Neo4j: the same promises as the embedded store, for many cases in one database."""

from __future__ import annotations

import heapq
import json
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from cases.codec import TransferReader, judgement_of, label_of, loss_of, readable
from cases.graph import neo4j_rows as rows
from cases.graph import schema, statements
from cases.graph.access import Access, checked_name
from cases.graph.batching import batches
from cases.graph.codec import flow_of, rest_of, trace_of
from cases.graph.escaping import escaped, key, unescaped
from cases.graph.neo4j_session import Database, Step
from cases.graph.nouns import Cluster, Payment, Place, TraceRecord, order_of
from tracer.errors import CaseConflict
from tracer.judgements import Judgement
from tracer.labels import Label
from tracer.losses import Loss
from tracer.values import Address, Chain, Transfer, TransferId

BATCH = 2_000
PAGE = 5_000
REMEMBERED = 100_000  # places known to be there; beyond, they are sent again: flat memory before speed


class Neo4jGraph:
    """A `protocol.GraphStore`: the case `case` in the database that `database` is open on."""

    def __init__(self, database: Database, case: str) -> None:
        """Make and check the schema. Raises `InputError` for a name that cannot be, `CaseError`."""
        self.database, self.case = database, checked_name(case)
        self._known: set[str] = set()
        self._begun = False  # whether the node of the case is known to be there
        schema.create(database)

    @classmethod
    def open(cls, access: Access, case: str) -> Neo4jGraph:
        """Connect; `close` hangs up."""
        database = Database(access)
        try:
            return cls(database, case)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self.database.close()

    def mark(self, name: str, value: str) -> None:
        """Remember how far filling this store has come."""
        id = f"{self.case}|{name}"
        props = {"id": id, "case": self.case, "name": name, "value": value}
        self.database.write([(statements.MARK, [{"id": id, "props": props}])])

    def marked(self, name: str) -> str:
        """What was remembered under that name, "" for nothing."""
        found = self.database.read(statements.MARKED, id=f"{self.case}|{name}")
        return str(found[0]["value"]) if found else ""

    # Facts.

    def write_addresses(self, addresses: Iterable[Address]) -> None:
        """See `protocol.GraphStore`."""
        self._send(self._places(Place.of(one) for one in batch) for batch in batches(addresses, BATCH))

    def write_transfers(self, transfers: Iterable[Transfer]) -> None:
        """See `protocol.GraphStore`."""
        self._send(self.transfer_steps(batch) for batch in batches(transfers, BATCH))

    def transfer_steps(self, batch: Iterable[Transfer]) -> list[Step]:
        """What is sent for these transfers, in one transaction: sorted, so that two writers take turns."""
        sent, transactions, inputs, outputs, places = [], [], [], [], dict[Place, None]()
        for one in batch:
            if rows.is_simple(one):
                source, target = Place.of_leg(one.inputs[0]), Place.of_leg(one.outputs[0])
                sent.append(rows.sent_row(self.case, one, source, target))
                places[source] = places[target] = None
            else:
                node, ins, outs = rows.transaction_rows(self.case, one)
                transactions.append(node)
                inputs += ins
                outputs += outs
                places |= dict.fromkeys(Place.of_leg(leg) for leg in one.inputs + one.outputs)
        return [
            *self._places(places),
            *((text, sorted(all, key=lambda row: str(row["id"])))
              for text, all in ((statements.SENT, sent), (statements.TRANSACTIONS, transactions),
                                (statements.INPUTS, inputs), (statements.OUTPUTS, outputs))),
        ]  # fmt: skip

    def delete_transfers(self, ids: Iterable[TransferId]) -> None:
        """See `protocol.GraphStore`."""
        gone = (_sorted({"id": rows.transfer_id(self.case, one)} for one in batch) for batch in batches(ids, BATCH))
        self._send([(statements.DROP_SENT, batch), (statements.DROP_TRANSACTIONS, batch)] for batch in gone)

    def delete_unnamed_places(self) -> None:
        """See `protocol.GraphStore`. The node goes with what the last case says of it."""
        found = self.database.read(statements.UNNAMED, case=self.case)
        self._known.clear()
        self._send(
            [(statements.DROP_INCLUDES, batch), (statements.DROP_PLACES, batch)]
            for batch in batches(_sorted(found), BATCH)
        )

    def _places(self, places: Iterable[Place]) -> list[Step]:
        """What makes places that were not sent yet."""
        kinds: dict[str, dict[str, rows.Row]] = {}
        for place in places:
            if place.key not in self._known:
                self._known.add(place.key)
                row = rows.place_row(place)
                kinds.setdefault(place.kind, {})[row["key"]] = row
        if len(self._known) > REMEMBERED:
            self._known.clear()
        steps: list[Step] = [
            (statements.PLACES[kind], [found[name] for name in sorted(found)]) for kind, found in sorted(kinds.items())
        ]
        keys = sorted(name for found in kinds.values() for name in found)
        return [*steps, (statements.INCLUDES, [{"key": name, "id": f"{self.case}|{name}"} for name in keys])]

    def _send(self, prepared: Iterable[list[Step]]) -> None:
        """One transaction after another, by one writer; the next is made ready while the server works on the last."""
        try:
            if not self._begun:
                self.database.change(statements.CASE, case=self.case)
                self._begun = True
            with ThreadPoolExecutor(1) as writer:
                pending: Future[None] | None = None
                for steps in prepared:
                    if pending is not None:
                        pending.result()
                    pending = writer.submit(self.database.write, steps, case=self.case)
                if pending is not None:
                    pending.result()
        except BaseException:
            self._known.clear()
            self._begun = False
            raise

    def addresses(self) -> Iterator[Address]:
        """See `protocol.GraphStore`."""
        found = self.database.read(statements.READ_ADDRESSES, case=self.case)
        yield from sorted(Address(Chain.named(row["chain"]), unescaped(row["name"])) for row in found)

    def transfers(self) -> Iterator[Transfer]:
        """See `protocol.GraphStore`."""
        yield from heapq.merge(self._sent(), self._transactions(), key=order_of)

    def _sent(self) -> Iterator[Transfer]:
        order, id = "", ""
        while True:
            found = self.database.read(statements.READ_SENT, case=self.case, order=order, id=id, limit=PAGE)
            for row in found:
                with readable("a transfer of the graph"):
                    transfer = rows.sent_of(row)
                yield transfer
            if len(found) < PAGE:
                return
            order, id = found[-1]["r"]["order"], found[-1]["r"]["id"]

    def _transactions(self) -> Iterator[Transfer]:
        order, id, reader = "", "", TransferReader()
        while True:
            found = self.database.read(statements.READ_TRANSACTIONS, case=self.case, order=order, id=id, limit=PAGE)
            for row in found:
                with readable("a transaction of the graph"):
                    transfer = rows.transaction_of(row["body"], reader)
                yield transfer
            if len(found) < PAGE:
                return
            order, id = found[-1]["order"], found[-1]["id"]

    def payments(
        self, places: Collection[Place], *, out: bool, since: int | None = None, until: int | None = None,
        asset: str | None = None,
    ) -> list[Payment]:  # fmt: skip
        """See `protocol.GraphStore`."""
        found = list[Payment]()
        for keys in batches(sorted({key(place.key) for place in places}), PAGE):
            told = self.database.read(
                statements.PAYMENTS_FROM if out else statements.PAYMENTS_TO, case=self.case, keys=keys,
                since=-1 if since is None else since, until=2**62 if until is None else until,
                asset=None if asset is None else escaped(asset),
            )  # fmt: skip
            found += map(rows.payment_of, told)
        return sorted(found, key=lambda one: (one.order, one.source, one.target))

    # Claims, decisions and inferences.

    def write_labels(self, labels: Iterable[Label]) -> None:
        """See `protocol.GraphStore`."""
        self._send(
            [
                *self._places(Place.of(one.address) for one in batch),
                (statements.CLAIMS, _sorted(rows.claim_row(self.case, one) for one in batch)),
            ]
            for batch in batches(labels, BATCH)
        )

    def labels(self) -> Iterator[Label]:
        """See `protocol.GraphStore`."""
        bodies = sorted(row["body"] for row in self.database.read(statements.READ_CLAIMS, case=self.case))
        yield from (label_of(json.loads(body)) for body in bodies)

    def write_losses(self, losses: Iterable[Loss]) -> None:
        """See `protocol.GraphStore`."""
        all = list(losses)
        made = _sorted(rows.loss_row(self.case, one) for one in all)
        wallets = [row for row in made if row["place"]]
        self._send(
            [[
                *self._places(Place.of(one.wallet) for one in all if one.wallet),
                (statements.LOSSES, made), (statements.DROP_LOST_TO, made), (statements.LOST_TO_WALLET, wallets),
                (statements.LOST_TO_PAID, [row for row in made if row["paid"]]),
            ]]
        )  # fmt: skip

    def losses(self) -> Iterator[Loss]:
        """See `protocol.GraphStore`."""
        found = self.database.read(statements.READ_LOSSES, case=self.case)
        yield from sorted((loss_of(json.loads(row["body"])) for row in found), key=lambda one: one.name)

    def write_judgements(self, judgements: Iterable[Judgement]) -> None:
        """See `protocol.GraphStore`. As with clusters, new ones come before old ones go."""
        made = list(judgements)
        self._send(
            [
                *self._places(Place.of(side) for one in batch for side in (one.left, one.right)),
                (statements.SAME_OWNER, _sorted(rows.judgement_row(self.case, one) for one in batch)),
            ]
            for batch in batches(made, BATCH)
        )
        keep = sorted(rows.judgement_row(self.case, one)["id"] for one in made)
        old = self.database.read(statements.OLD_SAME_OWNER, case=self.case, keep=keep)
        self._send([(statements.DROP_SAME_OWNER, batch)] for batch in batches(old, BATCH))

    def judgements(self) -> Iterator[Judgement]:
        """See `protocol.GraphStore`."""
        found = self.database.read(statements.READ_SAME_OWNER, case=self.case)
        yield from sorted(judgement_of(json.loads(row["body"])) for row in found)

    def write_clusters(self, clusters: Iterable[Cluster]) -> None:
        """See `protocol.GraphStore`. New ones come before old ones go; a cut between leaves both, until done again."""
        made = {node["id"]: (node, members) for node, members in (rows.cluster_rows(self.case, x) for x in clusters)}
        self._send([(statements.CLUSTERS, batch)] for batch in batches([made[id][0] for id in sorted(made)], BATCH))
        between = (member for id in sorted(made) for member in made[id][1])
        self._send(
            [*self._places(place for place, _ in batch), (statements.IN_CLUSTER, [row for _, row in batch])]
            for batch in batches(between, BATCH)
        )
        old = self.database.read(statements.OLD_CLUSTERS, case=self.case, keep=sorted(made))
        self._send([(statements.DROP_CLUSTERS, batch)] for batch in batches(old, BATCH))

    def clusters(self) -> Iterator[Cluster]:
        """See `protocol.GraphStore`."""
        found = self.database.read(statements.READ_CLUSTERS, case=self.case)
        members = ([Address(Chain.named(chain), unescaped(name)) for chain, name in row["members"]] for row in found)
        yield from sorted(Cluster(tuple(sorted(one))) for one in members)

    def write_trace(self, trace: TraceRecord) -> None:
        """See `protocol.GraphStore`. It counts as there once all of it is."""
        self._send([[(statements.TRACE, [rows.trace_row(self.case, trace, is_whole=False)]), *self._dropped(trace.id)]])
        self._send(
            [
                *self._places(place for _, one in batch for place in (one.source, one.target)),
                (statements.TRACED_TO, _sorted(rows.flow_row(self.case, trace, n, one) for n, one in batch)),
            ]
            for batch in batches(enumerate(trace.flows), BATCH)
        )
        self._send(
            [
                *self._places(one.place for _, one in batch),
                (statements.ENDS, _sorted(rows.end_row(self.case, trace, n, one) for n, one in batch)),
            ]
            for batch in batches(enumerate(trace.ends), BATCH)
        )
        self._send([[(statements.TRACE, [rows.trace_row(self.case, trace, is_whole=True)])]])

    def _dropped(self, id: str) -> list[Step]:
        return [(statements.DROP_FLOWS, [{"trace": id}]), (statements.DROP_ENDS, [{"trace": id}])]

    def delete_trace(self, id: str) -> bool:
        """See `protocol.GraphStore`."""
        made = f"{self.case}|{key(id)}"
        there = bool(self.database.read(statements.READ_TRACE, id=made))
        self._send([[*self._dropped(id), (statements.DROP_TRACE, [{"id": made}])]])
        return there

    def traces(self) -> list[tuple[int, str]]:
        """See `protocol.GraphStore`."""
        return [(row["at"], row["id"]) for row in self.database.read(statements.READ_TRACES, case=self.case)]

    def trace(self, id: str) -> TraceRecord:
        """See `protocol.GraphStore`."""
        found = self.database.read(statements.READ_TRACE, id=f"{self.case}|{key(id)}")
        if not found or not found[0]["whole"]:
            raise CaseConflict(f"there is no trace {id:.80}", "the traces: `GraphStore.traces()`")
        flows, ends = (
            [json.loads(row["body"]) for row in self.database.read(text, case=self.case, trace=id)]
            for text in (statements.READ_FLOWS, statements.READ_ENDS)
        )
        return trace_of(json.loads(found[0]["body"]), map(flow_of, flows), map(rest_of, ends))


def _sorted(found: Iterable[rows.Row]) -> list[rows.Row]:
    """By key, each once: so two writers lock in one order."""
    return [row for _, row in sorted({str(row["id"]): row for row in found}.items())]
