"""The start of a trace: from an address or a transaction, as a victim gives it, to a loss in the case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from cases.asking import ask
from cases.case_file import Case
from cases.codec import canonical, loss_json, sha256
from connectors.protocol import Connector, FindsTransactions
from tracer.addresses import looks_like_tx, parse, parse_tx, recognise
from tracer.errors import CaseConflict, InputError
from tracer.losses import Loss
from tracer.values import CHAINS, Address, Amount, Asset, Chain, Family, Outpoint, Transfer, shown


def start(
    case: Case,
    text: str,
    *,
    chain: Chain | None = None,
    asset: Asset | None = None,
    amount: str | None = None,
    since: int = 0,
    victim: str = "",
    connectors: Sequence[Connector],
    now: Callable[[], int],
    keep: bool = True,
    max_pages: int = 0,
) -> Loss:
    """Add what `text` names to the case's losses and return it; the same start again is the same loss.

    An address: all that the wallet had of `asset` (the chain's coin unless given) from block `since` on. A transaction
    hash: what it paid, of `asset` if given, in its largest transfer; `HASH:POSITION` names one of its transfers, for
    example `0x...:log:7`, and on a UTXO chain `HASH:1` its output 1, since the others may be change. `amount`, in
    whole units as people write it, takes only the first so much. The transfers of a transaction are read into the
    case, with their evidence, if it has them not. Without `keep` the case is not told: a wallet asked about backward
    is no loss.

    Raises `InputError` where it cannot tell what is meant, saying how to choose; `SourceError`, `CaseError`.
    """
    if chain is None and asset is not None:
        chain = asset.chain
    head, _, position = text.strip().partition(":")
    if looks_like_tx(head):
        if since:
            raise InputError("a block to start from does not go with a transaction", "give it with a wallet's address")
        output = int(position) if position.isascii() and position.isdecimal() else None
        transfer = _paid(case, head, "" if output is not None else position, chain, asset, connectors, now, max_pages)
        output = _output(transfer, output)
        units = _units(amount, transfer.asset)
        moved = transfer.units if output is None else transfer.outputs[output].units
        if units is not None and units > moved:
            which = transfer.id if output is None else f"output {output} of {transfer.id.tx}"
            raise InputError(f"{amount} is more than {which} moved: {_told(moved, transfer.asset)}", "check the amount")
        loss = Loss("", transfer.asset, victim, paid=transfer.id, units=units, output=output)
    else:
        wallet = wallet_of(text, chain, connectors)
        asset = asset or wallet.chain.coin
        if asset.chain != wallet.chain:
            raise InputError(
                f"{asset.name} is no asset of {wallet.chain}", "give chain, asset and address of one chain"
            )
        loss = Loss("", asset, victim, wallet=wallet, units=_units(amount, asset), since=since)
    loss = _named(loss)
    if keep:
        _must_fit(case, loss)
        case.add_loss(loss, at=now())
    return loss


def _named(loss: Loss) -> Loss:
    """The loss under the name that follows from what it is."""
    told = loss_json(loss)
    identity = {**told, "asset": loss.asset.name}  # what a token calls itself is no part of it
    name = f"loss-{sha256(canonical(identity))[:8]}"
    return replace(loss, name=name)


def _output(transfer: Transfer, output: int | None) -> int | None:
    """Which output of a UTXO transaction is the loss; None on an account chain, whose transfers pay one address."""
    if transfer.id.chain.family is not Family.BITCOIN:
        if output is not None:
            raise InputError(f"{transfer.id.chain} has no numbered outputs", "name a position: tx, log:7, trace:0_1")
        return None
    paid = [at for at, leg in enumerate(transfer.outputs) if isinstance(leg.holding, Outpoint) and leg.units]
    if output is None and len(paid) == 1:
        return paid[0]
    if output not in paid:
        listed = "; ".join(
            f"{transfer.id.tx}:{at} ({_told(transfer.outputs[at].units, transfer.asset)}"
            f" to {transfer.outputs[at].address or 'no address'})"
            for at in paid
        )
        what = (
            "no such output"
            if output == -1
            else f"no spendable output {output}"
            if output is not None
            else f"{len(paid)} outputs, and some may be change"
        )
        raise InputError(f"{transfer.id.tx} has {what}", f"say which paid the thief: {listed}")
    return output


def _must_fit(case: Case, loss: Loss) -> None:
    """Losses are never taken out again, so one that could not stand beside the others is not taken in."""
    others = [known for known in case.losses() if known != loss]
    for known in others:
        if known.asset != loss.asset:
            hint = "make a case for each asset"
            raise CaseConflict(f"the case is about {known.asset.name}, and this loss is in {loss.asset.name}", hint)
    if loss.paid is not None:
        paid = next(one for one in case.transaction(loss.paid.chain, loss.paid.tx) if one.id == loss.paid)
        moved = paid.units if loss.output is None else paid.outputs[loss.output].units
        same = [one for one in others if (one.paid, one.output) == (loss.paid, loss.output)]
        if sum(moved if one.units is None else one.units for one in (*same, loss)) > moved:
            names = ", ".join(one.name for one in same)
            raise CaseConflict(f"{loss.paid} is a loss of this case already: {names}", "give each its --amount")


def _units(amount: str | None, asset: Asset) -> int | None:
    if amount is None:
        return None
    units = Amount.parse(amount, asset).units
    if not units:
        raise InputError("an amount of 0 is no loss", "leave the amount out to follow all of it")
    return units


def wallet_of(text: str, chain: Chain | None, connectors: Sequence[Connector]) -> Address:
    """The address that `text` is, on the chain given or the one that it can only be meant on."""
    if chain is not None:
        return parse(text, chain)
    offered = _chains(connectors)
    if len(offered) == 1:
        return parse(text, offered[0])
    found = recognise(text)
    if not found:
        said = f"{text[:100]!r:.100} is neither an address nor a transaction hash"
        raise InputError(said, "copy it again; or name the chain, to be told why")
    meant = [address for address in found if address.chain in offered] or list(found)
    if len(meant) > 1:
        raise InputError(f"{text} may be on {_or(address.chain.name for address in meant)}", "say which: --chain NAME")
    return meant[0]


def _paid(
    case: Case, hash: str, position: str, chain: Chain | None, asset: Asset | None,
    connectors: Sequence[Connector], now: Callable[[], int], max_pages: int,
) -> Transfer:  # fmt: skip
    """The one transfer of the transaction that is meant, which the case holds from here on."""
    known = {found.id: found for found in _lookups(case, hash, chain, connectors)}
    if not known:
        raise InputError(
            f"no source knows the transaction {hash}",
            "check the hash and the chain; or give the address that was stolen from, instead of a transaction",
        )
    on = {id.chain for id in known}
    if len(on) > 1:
        raise InputError(f"{hash} is on {_or(chain.name for chain in on)}", "say which: --chain NAME")
    chosen = _chosen(hash, list(known.values()), position, asset)
    if not case.holds(chosen.id):
        _keep(case, chosen, connectors, now, max_pages)
    return chosen


def _lookups(case: Case, hash: str, chain: Chain | None, connectors: Sequence[Connector]) -> Iterator[Transfer]:
    """What the first source that knows the transaction tells of it, and what the case holds; on each possible chain."""
    for possible in [chain] if chain else CHAINS.values():
        tx = parse_tx(hash, possible)
        told: tuple[Transfer, ...] = ()
        for connector in connectors:
            if not told and possible in connector.chains and isinstance(connector, FindsTransactions):
                told = connector.transaction(possible, tx)
        yield from told
        yield from case.transaction(possible, tx)


def _chosen(hash: str, transfers: Sequence[Transfer], position: str, asset: Asset | None) -> Transfer:
    moved = [found for found in transfers if found.id.position != "fee" and found.units]
    if not moved:
        fee_only = all(found.id.position == "fee" for found in transfers)
        why = "failed and moved nothing but its fee" if fee_only else "moved nothing"
        raise InputError(f"this transaction {why}: {hash}", "give the transaction that moved the money")
    meant = [found for found in moved if position in ("", found.id.position) and asset in (None, found.asset)]
    if not meant:
        if moved[0].id.chain.family is Family.BITCOIN and position:
            _output(moved[0], -1)  # says which outputs there are
        what = f"at {position!r:.60}" if position else f"of {asset}"
        raise InputError(f"{hash} has no transfer {what}", f"it has: {_listed(hash, moved)}")
    largest = max(found.units for found in meant)
    best = [found for found in meant if found.units == largest]
    if len({found.asset for found in meant}) > 1 or len(best) > 1:
        raise InputError(f"{hash} made {len(meant)} transfers that may be meant", f"choose one: {_listed(hash, meant)}")
    return best[0]


def _listed(hash: str, transfers: Sequence[Transfer]) -> str:
    return "; ".join(f"{hash}:{found.id.position} ({_told(found.units, found.asset)})" for found in transfers)


def _told(units: int, asset: Asset) -> str:
    """An amount for people; several legs together can be more than one can hold."""
    return f"{shown(units, asset.decimals)} {asset}"


def _keep(
    case: Case, transfer: Transfer, connectors: Sequence[Connector], now: Callable[[], int], most: int
) -> None:  # fmt: skip
    """Read the transfer into the case with its evidence: from the history of whom it paid, else of who paid it.

    Who was paid is read anyway when the money is followed. Reading stops at the page that holds it, and after `most`
    pages of one address unless that is 0: an exchange's wallet may have thousands.
    """
    legs = (*transfer.outputs, *transfer.inputs)
    for address in dict.fromkeys(leg.address for leg in legs if leg.address is not None):
        for connector in connectors:
            if address.chain not in connector.chains or _answered(case, connector, address):
                continue
            for _ in ask(case, connector, address, now, most=most):
                if case.holds(transfer.id):
                    return
    raise InputError(
        f"no history that the sources have of its addresses holds {transfer.id}",
        "give a source that has the history of the wallet it paid, or give that wallet's address",
    )


def _answered(case: Case, connector: Connector, address: Address) -> bool:
    return connector.name in {source for source, _ in case.answers(address)}


def _chains(connectors: Sequence[Connector]) -> list[Chain]:
    offered = {chain for connector in connectors for chain in connector.chains}
    return [chain for chain in CHAINS.values() if chain in offered]


def _or(names: Iterable[str]) -> str:
    return " or ".join(sorted(names))
