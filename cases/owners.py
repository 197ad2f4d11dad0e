"""What a person says of owners: that two addresses have one, that a judgement counts no longer; and what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cases.case_file import Case
from cases.codec import address_json, judgement_id, judgement_json
from cases.graph.clusters import clusters_of
from tracer.addresses import parse, parse_tx, recognise
from tracer.errors import BadAddress, CaseConflict, InputError, UnknownName
from tracer.judgements import Judgement
from tracer.values import Address, Chain, Transfer

FORMAT = "fundtrail-owners/1"
_SHORTEST = 6  # characters of an id that may stand for it


def judge(
    case: Case, addresses: tuple[str, str], *, by: str, why: str, confidence: int, evidence: Sequence[str] = (), at: int
) -> dict[str, Any]:  # fmt: skip
    """Record that a person takes the two for one owner's; said again, also the other way round, it changes nothing.

    `evidence` are transactions that the case holds, as people write them. Raises `InputError`, or `CaseConflict` where
    the same judgement was withdrawn; that it is spaced otherwise makes it no other.
    """
    by, why = _said(by=by, why=why)
    left, right = sorted(_meant(case, text) for text in addresses)
    moved = [one for text in evidence for one in _cited(case, text, (left.chain, right.chain))]
    newest = max((one.block.number for one in moved), default=0)
    ids = tuple(sorted({one.id for one in moved}))
    one = Judgement(left, right, why, ids, confidence, by, newest)
    for said in case.withdrawals():
        if replace(said.judgement, rule=_spaced(said.judgement.rule), author=_spaced(said.judgement.author)) == one:
            raise CaseConflict(
                f"this very judgement was withdrawn by {said.by:.60}: {said.why:.120}",
                "if it holds after all, say with --why what is new",
            )
    fresh = one not in case.judgements()
    case.add_judgements([one], at=at)
    return {"id": judgement_id(one), "added": fresh, **judgement_json(one)}


def withdraw(case: Case, id: str, *, by: str, why: str, at: int) -> dict[str, Any]:
    """Record that a person withdraws the judgement whose id begins so. Raises `InputError`, `CaseConflict`."""
    by, why = _said(by=by, why=why)
    id = id.lower()
    found = [one for one in case.judgements() if judgement_id(one).startswith(id)] if len(id) >= _SHORTEST else []
    if len(found) != 1:
        raise InputError(
            f"{len(found) or 'no'} judgements have an id that begins with {id!r:.80}",
            f"ids: fundtrail case owners FILE; {_SHORTEST} characters or more, as many as tell them apart",
        )
    case.withdraw(found[0], by, why, at=at)
    return {"judgement": judgement_id(found[0]), "by": by, "why": why}


def owners(case: Case, confidence: int = 0) -> dict[str, Any]:
    """Every judgement, and why it does not count (`doubt`), and the clusters made by those as sure as that at least."""
    doubts = case.doubts()
    for one in doubts:
        if not doubts[one] and one.confidence < confidence:
            doubts[one] = "not so sure"
    said = case.withdrawals()
    judged = [
        {
            "id": judgement_id(one), **judgement_json(one), "doubt": doubt,
            "withdrawn": [{"by": x.by, "why": x.why} for x in said if x.judgement == one],
        }
        for one, doubt in doubts.items()
    ]  # fmt: skip
    clusters = [
        {
            "members": list(map(address_json, one.members)), "judgements": list(map(judgement_id, one.judgements)),
            "weakest": min(judgement.confidence for judgement in one.judgements),
        }
        for one in clusters_of(one for one, doubt in doubts.items() if not doubt)
    ]  # fmt: skip
    return {"format": FORMAT, "confidence": confidence, "judgements": judged, "clusters": clusters}


def _said(**said: str) -> list[str]:
    """What was said, spaced alike. Raises `InputError` for nothing."""
    for name, text in said.items():
        if not text.strip():
            raise InputError(f"--{name} is empty", "a judgement stands with whoever makes it, and why")
    return list(map(_spaced, said.values()))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _meant(case: Case, text: str) -> Address:
    """The address, with its chain in front or on the one chain that it can be meant on."""
    chain, name = _chain_in_front(text)
    if chain is not None:
        return parse(name, chain)
    found = recognise(text)
    if not found:
        name, _, rest = text.partition(":")
        if recognise(rest):
            Chain.named(name)  # says which names there are
        raise BadAddress(f"not an address of any chain we follow: {text!r:.100}", "copy it again, whole")
    of_case = {loss.asset.chain for loss in case.losses()} | {answer.address.chain for _, answer in case.told()}
    meant = [one for one in found if one.chain in of_case] or list(found)
    if len(meant) > 1:
        hint = " or ".join(f"{one.chain.name}:{one.text}" for one in meant)
        raise InputError(f"{text:.100} may be on several chains", f"write the one that is meant in front: {hint:.300}")
    return meant[0]


def _cited(case: Case, text: str, chains: Sequence[Chain]) -> list[Transfer]:
    """The transfers of a transaction that the case holds, or the one at a position: HASH or HASH:log:7."""
    chain, name = _chain_in_front(text)
    hash, _, position = name.partition(":")
    there: list[str] = []
    for possible in dict.fromkeys([chain] if chain else chains):
        if chain is None and _is_tx(position.partition(":")[0], possible):
            Chain.named(hash)  # it is no hash, and no chain's name: says which names there are
        transfers = case.transaction(possible, parse_tx(hash, possible))
        if found := [one for one in transfers if position in ("", one.id.position)]:
            return found
        there += [one.id.position for one in transfers]
    if there:
        raise InputError(
            f"the case holds {hash:.120}, and nothing at {position!r:.80} of it",
            f"the positions there are: {', '.join(there):.300}; or leave the position out, and all of it is meant",
        )
    raise InputError(
        f"the case holds no transfer {text!r:.120}",
        "fetch an address that it touches first; or leave it out, and say in --why what the judgement rests on",
    )


def _is_tx(text: str, chain: Chain) -> bool:
    try:
        return bool(parse_tx(text, chain))
    except InputError:
        return False


def _chain_in_front(text: str) -> tuple[Chain | None, str]:
    """`ethereum:0x1` taken apart; (None, all of it) where no chain is named, as in `bitcoincash:q...`."""
    name, _, rest = text.partition(":")
    try:
        return (Chain.named(name), rest) if rest else (None, text)
    except UnknownName:
        return None, text


__all__ = ["judge", "owners", "withdraw"]
