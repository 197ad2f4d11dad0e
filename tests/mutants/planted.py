"""Faults in the rules, the ledger, the bounds, the stops and the exports. To plant another, add a row."""

from __future__ import annotations

from typing import NamedTuple

ORACLES, NAIVE, ENVELOPE = "tests/tracer/test_oracles.py", "tests/tracer/test_naive.py", "tests/tracer/test_envelope.py"
LOTS, LEDGER, ENGINE = (f"tests/tracer/test_{name}.py" for name in ("lots", "ledger", "engine"))
GAINS, HOME = "tests/tracer/test_gains.py", "tests/tracer/test_envelope_conversions.py"
FOLLOW, STOPS, DEPOSITS = (f"tests/graphs/test_{name}.py" for name in ("follow", "stops", "deposits"))


class Mutant(NamedTuple):
    """One fault: `text` of `file` becomes another text, and one of `tests` must see it."""

    fault: str
    file: str
    text: str
    becomes: str
    tests: str


MUTANTS = (
    Mutant(
        "pro rata by float division",
        "tracer/lots.py",
        "return apportion(units, (clean, stolen))[1]",
        "return int(units * stolen / ((stolen + clean) or 1))",
        LOTS,
    ),
    Mutant(
        "apportion by float division",
        "tracer/lots.py",
        "part, remainder = divmod(units * weight, total)",
        "part, remainder = int(units * weight / total), units * weight % total",
        LOTS,
    ),
    Mutant(
        "largest remainder: the tie goes to the later",
        "tracer/lots.py",
        "remainders.append((-remainder, at))",
        "remainders.append((-remainder, -at))",
        LOTS,
    ),
    Mutant(
        "largest remainder: the tie goes to the stolen side",
        "tracer/lots.py",
        "return apportion(units, (clean, stolen))[1]",
        "return apportion(units, (stolen, clean))[0]",
        LOTS,
    ),
    Mutant(
        "fifo and lifo swapped",
        "tracer/lots.py",
        "return Queue(last=rule is Rule.LIFO)",
        "return Queue(last=rule is Rule.FIFO)",
        ORACLES,
    ),
    Mutant(
        "fifo and lifo swapped at equal times",
        "tracer/memory.py",
        "key=lambda entry: entry.order)",
        "key=lambda entry: (*entry.order[:2], -entry.order[2], *entry.order[3:]))",
        ENGINE,
    ),
    Mutant(
        "lots are passed on in the wrong order",
        "tracer/lots.py",
        "            taken.append((label, here))",
        "            taken.insert(0, (label, here))",
        NAIVE,
    ),
    Mutant(
        "clean first pays by the balance, not by the clean part",
        "tracer/lots.py",
        "return max(0, units - clean)",
        "return max(0, units - clean - stolen)",
        ORACLES,
    ),
    Mutant(
        "a payment to oneself turns the queue",
        "tracer/engine.py",
        "        if one.own:\n",
        "        if False:\n",
        ORACLES,
    ),
    Mutant(
        "a payment to oneself moves the balance",
        "tracer/memory.py",
        "                if not one.own:",
        "                if True:",
        LEDGER,
    ),
    Mutant("gas before the value", "tracer/values.py", '"fee": 2}', '"fee": -1}', ORACLES),
    Mutant(
        "positions in a transaction are ordered as text",
        "tracer/values.py",
        'tuple(int(part) for part in rest.split("_"))',
        'tuple(rest.split("_"))',
        LEDGER,
    ),
    Mutant(
        "transfers in the order in which they arrived",
        "tracer/memory.py",
        "entries = sorted(self._entries.values(), key=lambda entry: entry.order)",
        "entries = sorted(self._entries.values(), key=lambda entry: entry.order[:2])",
        LEDGER,
    ),
    Mutant(
        "what repeats is added",
        "tracer/memory.py",
        "evidence=tuple(sorted({*known.evidence, *again.evidence})),",
        "evidence=known.evidence,",
        LEDGER,
    ),
    Mutant(
        "a contradiction goes to whoever came first",
        "tracer/memory.py",
        "    if differences:\n",
        "    if differences and False:\n",
        LEDGER,
    ),
    Mutant(
        "the cap is not a cap",
        "tracer/engine.py",
        "            self.left[label] -= done",
        "            self.left[label] -= 0",
        ENGINE,
    ),
    Mutant(
        "an unseen inflow of a wallet that is the loss is clean",
        "tracer/engine.py",
        "came = self._marked(came, label, units)",
        "pass",
        ENGINE,
    ),
    Mutant(
        "an unseen inflow leaves before what is recorded",
        "tracer/engine.py",
        "return taken + came",
        "return came + taken",
        ENGINE,
    ),
    Mutant(
        "a history that is cut is followed to the end",
        "tracer/engine.py",
        "if ordinal > self.followed.get(hid, -1):",
        "if hid not in self.followed:",
        ENGINE,
    ),
    Mutant(
        "the balance before the theft is forgotten",
        "tracer/engine.py",
        "content.put([(CLEAN, self.ledger.balance_before(hid, ordinal))])",
        "content.put([(CLEAN, 0)])",
        ORACLES,
    ),
    Mutant(
        "what is stolen already becomes the next victim's",
        "tracer/engine.py",
        "if lot[0] == CLEAN else 0",
        "if lot[0] != label else 0",
        ENGINE,
    ),
    Mutant(
        "the envelope: payments cannot be taken back",
        "tracer/gains.py",
        "room[path[at] ^ 1] += units",
        "room[path[at] ^ 1] += 0",
        GAINS,
    ),
    Mutant(
        "the envelope: what stays may be anything",
        "tracer/ways.py",
        "self.network.arc(state.node, fresh, state.total)",
        "ways.network.arc(state.node, fresh, 2 * state.total)",
        ORACLES,
    ),
    Mutant(
        "the envelope: no slack where a loss is part of a payment",
        "tracer/unrolled.py",
        "self.slack += 2 *",
        "self.slack += 0 *",
        ENVELOPE,
    ),
    Mutant(
        "the envelope: what comes home is counted twice",
        "tracer/unrolled.py",
        "        if unsure:\n            self._end(None",
        "        if False:\n            self._end(None",
        HOME,
    ),
    Mutant(
        "the envelope: an unseen inflow is clean",
        "tracer/unrolled.py",
        "part.stolen = {**part.stolen, ONE: part.stolen.get(ONE, 0) + fresh}",
        "pass",
        ENVELOPE,
    ),
    Mutant(
        "the envelope: a history that is cut is followed to the end",
        "tracer/unrolled.py",
        "if step > self.followed.get(hid, -1) or",
        "if hid not in self.followed or",
        ENVELOPE,
    ),
    Mutant(
        "dust per payment",
        "graphs/onward.py",
        "return came.units < self._dust",
        "return min(came.at.values()) < self._dust",
        STOPS,
    ),
    Mutant(
        "a cut history is taken for whole",
        "graphs/known.py",
        "if block is not None and beyond(ledger, hid, block):",
        "if False:",
        FOLLOW,
    ),
    Mutant(
        "only the rule that searches is followed",
        "graphs/follow.py",
        "(SEARCH_RULE, *rules)",
        "(SEARCH_RULE,)",
        FOLLOW,
    ),
    Mutant(
        "any next wallet is a collector",
        "graphs/venues.py",
        "COLLECTOR_SENDERS = 10",
        "COLLECTOR_SENDERS = 1",
        DEPOSITS,
    ),
    Mutant(
        "an export iterates over a set",
        "cases/exporting/graphml.py",
        '("node", sorted(on_nodes))',
        '("node", set(on_nodes))',
        "tests/cases/test_exports.py",
    ),
    Mutant(
        "a formula behind spaces is not guarded",
        "cases/exporting/cells.py",
        'text.lstrip(" ").startswith(FORMULA)',
        "text.startswith(FORMULA)",
        "tests/cases/test_exports.py",
    ),
    Mutant(
        "an import takes an answer on trust",
        "cases/answering_again.py",
        "if canonical(again) != canonical(given):",
        "if False:",
        "tests/cases/exporting/test_importing.py",
    ),
    Mutant(
        "an import does not compare what follows from its records",
        "cases/exporting/reading_back.py",
        "_must_tell(sheets_of(contents), tables, where)",
        "pass",
        "tests/cases/exporting/test_changed_exports.py",
    ),
)
