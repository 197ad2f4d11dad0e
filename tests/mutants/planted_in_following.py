"""Faults in who is followed, by how many hops, where an exchange is undone, and in what an answer says of it."""

from __future__ import annotations

from mutants.planted import Mutant

WAY, GROWTH, FOLLOWED = (f"tests/graphs/test_{name}.py" for name in ("way", "growth", "utxo_follow"))

MUTANTS = (
    Mutant(
        "a bare script that was spent is not followed",
        "graphs/follow.py",
        "return self.ledger.is_coin(hid) and len(self.ledger.events(hid)) > 1",
        "return False",
        FOLLOWED,
    ),
    Mutant(
        "an exchange with somebody who is followed himself is carried out",
        "graphs/way.py",
        "if hid in self._known:",
        "if False:",
        WAY,
    ),
    Mutant(
        "an exchange was carried out with somebody who is followed from then on",
        "graphs/way.py",
        "self._own |= self._dealt.get(hid, set())",
        "pass",
        WAY,
    ),
    Mutant(
        "who is let in while lots move had nothing to do with what moved before",
        "graphs/way.py",
        "return any(hid in paid or any(",
        "return False and any(hid in paid or any(",
        WAY,
    ),
    Mutant(
        "what comes to a holding in one step is several arrivals where several pay",
        "graphs/follow.py",
        "came.at[at] = came.at.get(at, 0) + sum(",
        "came.at[at] = sum(",
        GROWTH,
    ),
    Mutant(
        "what names nobody is no step from the loss",
        "graphs/hops.py",
        "if to not in found:",
        "if to not in found and isinstance(to, Address):",
        GROWTH,
    ),
    Mutant(
        "how much is lost hangs on who is followed",
        "tracer/moves.py",
        "entering += [(label, units) for legs",
        "entering += [(label, 0) for legs",
        "tests/graphs/test_seeds.py",
    ),
    Mutant(
        "who was read from a later block on is followed for what came before",
        "graphs/follow.py",
        "if not barred and not undone:",
        "if not undone:",
        GROWTH,
    ),
    Mutant(
        "what was undone by whom an undone exchange led to is undone too",
        "graphs/follow.py",
        "{min(undone)} if undone else set()",
        "undone",
        GROWTH,
    ),
    Mutant(
        "an exchange that is undone leads on to whom it was met through",
        "graphs/follow.py",
        "if not barred and not undone:",
        "if not barred:",
        GROWTH,
    ),
    Mutant(
        "what moved before somebody was let in late counts as all",
        "graphs/follow.py",
        "and self.late:  # what came",
        "and False:  # what came",
        GROWTH,
    ),
    Mutant(
        "the other rules are not asked again when one lets somebody in",
        "graphs/follow.py",
        "if len(self.known) > followed:",
        "if False:",
        GROWTH,
    ),
    Mutant(
        "who was let in while lots moved was not late, whatever had come before",
        "graphs/follow.py",
        "self.late = self.late or (bool(more) and not first)",
        "pass",
        GROWTH,
    ),
    Mutant(
        "what is on the way of somebody let in while lots move is not looked at",
        "graphs/follow.py",
        "            self.way.look(holdings)",
        "            pass",
        GROWTH,
    ),
    Mutant(
        "an exchange that nobody believes is carried out",
        "graphs/way.py",
        "for at, one in self._exchanges.items() if one.trusted and at not in self._own",
        "for at, one in self._exchanges.items() if at not in self._own",
        WAY,
    ),
    Mutant(
        "steps later than what is known are judged",
        "graphs/way.py",
        "if after < step <= until:",
        "if after < step:",
        WAY,
    ),
    Mutant(
        "a collector may pay a tenth elsewhere",
        "graphs/venues.py",
        ">= 95 * total > 0",
        ">= 90 * total > 0",
        "tests/graphs/test_behaviour.py",
    ),
    Mutant(
        "lines a day are taken for counterparties a day",
        "graphs/stops.py",
        "if busy < rules.service_days:",
        "if False:",
        "tests/graphs/test_behaviour.py",
    ),
    Mutant(
        "what is left of a basis goes by the order of the data",
        "tracer/trace.py",
        "if moves.strains:  # what cannot",
        "if False:  # what cannot",
        GROWTH,
    ),
    Mutant(
        "a part that came back at once is not told",
        "cases/answer.py",
        "elif most < moved:",
        "elif False:",
        "tests/cases/test_answer.py",
    ),
    Mutant(
        "the payments behind an answer are those of what the case holds by now",
        "cases/answering_again.py",
        "    traced = traced_alike(case, given)\n    if traced is None:\n        raise",
        "    traced = retraced(case, dict(given))\n    if traced is None:\n        raise",
        "tests/cases/exporting/test_reorganised.py",
    ),
)
