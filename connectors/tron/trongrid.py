"""The source `trongrid:URL`: histories of Tron addresses from TronGrid, or a server of one's own that speaks so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from connectors.fields import problem_of
from connectors.http.network import Network
from connectors.http.pacing import Pace
from connectors.protocol import Evidence, Page, Problem
from connectors.tron.asking import Asking, Listed
from connectors.tron.assets import TRON
from connectors.tron.blocks import Told, block_of
from connectors.tron.confirming import Confirmed, Confirming, row_of
from connectors.tron.held import held
from connectors.tron.judging import judge
from connectors.tron.proving import doubt_about
from connectors.tron.reading import INNER, LISTS, MOST_IDLE, UNREADABLE, Place, Row
from connectors.window import Window
from tracer.addresses import parse_tx
from tracer.coverage import Coverage, Kind, State
from tracer.errors import FundtrailError, InputError, SourceError, SourceSkipped
from tracer.values import Address, Asset, Chain, Transfer

DEFAULT = "https://api.trongrid.io"
KIND = "trongrid"
_PACES = {True: (Pace(12),), False: (Pace(3),)}  # with a key TronGrid took 15 a second, without one far less


class TronGrid:
    """Reads what is final: blocks that more than two thirds of the witnesses have built on, 19 or more behind the head.

    Each listed transaction that ran a contract, or whose block the list leaves out, is confirmed by
    `gettransactioninfobyid`: one request each, but then token events have their place in the log, and payer and payee
    see the same. Facts: https://developers.tron.network/reference and docs/sources.md.
    """

    def __init__(self, where: str, network: Network, chain: Chain | None = None) -> None:
        self._base = (where or network.settings.url(KIND) or DEFAULT).rstrip("/")
        self._clock = None if network.replay else network.clock  # what is recorded need not be waited for
        key = network.settings.key_at(KIND, self._base, DEFAULT)
        door = network.door(self.name, KIND, self._base, judge, _PACES[key is not None])
        self._asking = Asking(door, self.name, self._base, key.value if key else "")
        self._confirming = Confirming(self._asking, self.name)

    @property
    def name(self) -> str:
        """`trongrid:URL`."""
        return f"{KIND}:{self._base}"

    @property
    def chains(self) -> frozenset[Chain]:
        """Tron."""
        return frozenset({TRON})

    @property
    def hosts(self) -> tuple[str, ...]:
        """The one host of the URL."""
        return (urlsplit(self._base).netloc,)

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """One page for each answer of a list: transactions, TRC-20 transfers, inner transactions, in this order."""
        self._asking.take()
        if after:
            window, rest = Window.of(after)
            place = Place.of(rest)
        else:
            window, place = self._start(0)
        while not place.done:
            page, place = self._page(address, window, place)
            yield page

    def cursor_from(self, chain: Chain, first: int) -> str:
        """See `ReadsOn`. A block that is not final yet is read from the newest that is."""
        window, place = self._start(first)
        return window.cursor(**place.plain())

    def block_hash(self, chain: Chain, number: int) -> str:
        """See `ReadsOn`."""
        told = self._block(number)
        return told.block.hash if told else ""

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """See `FindsTransactions`. Only what is final is known."""
        try:
            tx = parse_tx(tx, TRON)
        except InputError:
            return ()
        info, executed = self._asking.execution(tx)
        row, evidence = self._asking.node("/walletsolidity/gettransactionbyid", {"value": tx})
        if not info or not row or chain != TRON:
            return ()
        with self._readable(evidence):
            return self._confirming.transaction(tx, row, info, (f"{evidence.id}#row:1", executed.id))

    def balances(
        self, address: Address, assets: Sequence[Asset], block: int
    ) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
        """See `KnowsBalances`: what is held now, told only if nothing listed happened after `block`, else nothing.

        A token that TronGrid does not list among what the account holds is left out. TRX that is frozen, delegated or
        being unfrozen counts: it is the owner's.
        """
        self._asking.take()
        account = self._asking.v1(f"/v1/accounts/{address}", {"only_confirmed": "true"})
        at = self._block(block)
        if at is None:
            return {}, self._asking.take()
        for path in LISTS:
            asked = {"only_confirmed": "true", "min_timestamp": str(at.ms + 1), "order_by": "block_timestamp,desc"}
            try:
                listed = self._asking.page(address, path, {**asked, "limit": "1"})
            except SourceSkipped as error:
                if path != INNER or "HTTP status 404" not in str(error):
                    raise
                continue
            if listed.rows:
                return {}, self._asking.take()
        with self._readable(account.evidence):
            return held(account.rows, assets), self._asking.take()

    def _start(self, first: int) -> tuple[Window, Place]:
        """The tip, before anything is read, and whether the lists reach it."""
        record, evidence = self._asking.node("/walletsolidity/getnowblock", {})
        with self._readable(evidence):
            tip = block_of(record)
        head, told = self._asking.node("/wallet/getnowblock", {})
        with self._readable(told):
            newest = block_of(head)
            if newest.block.number < tip.block.number:
                raise InputError(f"its head, {newest.block.number}, is before its final block, {tip.block.number}")
        first = min(first, tip.block.number)
        begin = self._block(first) if first else None
        doubt = doubt_about(self._asking, record, tip, self._clock)
        window = Window(first, tip.block.number, tip.block.hash, tip.block.number, tip.block.time)
        return window, Place.starting(begin.ms if begin else 0, tip.ms, doubt)

    def _page(self, address: Address, window: Window, place: Place) -> tuple[Page, Place]:
        found, path = Confirmed(), place.path
        try:
            listed = self._asking.page(address, path, place.asking())
        except SourceSkipped as error:
            if path != INNER or "HTTP status 404" not in str(error):
                raise
            found.problems.append(Problem("this server has no list of inner transactions", f"{self.name}, {address}"))
            refusal, after = Evidence(error.body, self.name, error.request), replace(place.next_list(), internal=False)
            return self._made(address, window, after, found, refusal), after
        rows = self._rows(listed, path, found, address)
        self._confirming.confirm(listed, path, place.fresh(rows), address, found)
        after = place.read(rows)
        moments = [row.ms for row in rows if row != UNREADABLE]
        if moments != sorted(moments):
            lowest = found.blocks.get(min(moments), 0)
            after = after.with_gap(
                "rows came in another order than asked for, so what is missing cannot be told", lowest - 1
            )
        if listed.fingerprint and after.idle == 0:
            after = after.follow(listed.fingerprint)
        elif listed.fingerprint and after.idle < MOST_IDLE:
            # Nothing new: a page that came twice is passed by time; one that time gave, by its fingerprint.
            after = after.by_time(after.reached) if place.fingerprint else after.follow(listed.fingerprint)
        else:
            after = self._at_end(address, path, place, after, found)
        after = after.with_bad(found.bad)
        return self._made(address, window, after, found, listed.evidence), after

    def _at_end(self, address: Address, path: str, asked: Place, place: Place, found: Confirmed) -> Place:
        """After a page that names no next one: the list's newest rows must be those that were read last."""
        newest = self._asking.page(address, path, place.newest())
        rows = self._rows(newest, path, found, address)
        later = place.later(rows)
        if not later:
            if place.seen and not any(row.id in place.seen for row in rows):
                told = "asked newest first, the list does not show what it showed before"
                place = place.with_gap(told, found.blocks.get(place.upto, 0) - 1)
            return place.next_list()
        by_time = not asked.fingerprint and asked.since == place.reached and place.upto >= 0
        if place.idle == 0 or (not by_time and place.idle < MOST_IDLE):
            return place.by_time(place.reached)  # from there the rest can be had
        # Rows of one block are left that no page goes on to: what the other order shows of them, and the gap.
        why, given_up = "the list broke off inside one block, and no page went on", place.idle >= MOST_IDLE
        moment = later if given_up else [at for at in later if rows[at].ms == place.upto]
        self._confirming.confirm(newest, path, moment, address, found)
        place = place.with_gap(why, found.blocks.get(place.upto, 0) - 1)
        if given_up or len(moment) == len(later):
            return replace(place, rows=place.rows + len(moment)).next_list()
        return place.read([rows[at] for at in moment]).by_time(place.upto + 1)

    def _rows(self, listed: Listed, path: str, found: Confirmed, address: Address) -> list[Row]:
        """The rows as the reading sees them. One that tells no time or name counts as one that cannot be read."""
        rows = []
        for number, row in enumerate(listed.rows, 1):
            try:
                rows.append(row_of(path, row))
            except FundtrailError as error:
                where = f"{self.name}, {path.rpartition('/')[2]}, row {number} ({address})"
                found.problems.append(problem_of(error, where))
                found.bad.append(-1)
                rows.append(UNREADABLE)
        return rows

    def _made(self, address: Address, window: Window, place: Place, found: Confirmed, main: Evidence) -> Page:
        """The page; on the last one with what the whole reading covers."""
        taken = {one.id: one for one in (*self._asking.take(), *found.also.values())}
        taken.pop(main.id, None)
        also = tuple(taken[id] for id in sorted(taken))
        coverage = self._coverage(address, window, place, main) if place.done else None
        cursor = "" if place.done else window.cursor(**place.plain())
        return Page(tuple(found.transfers.values()), cursor, main, coverage, tuple(found.problems), also)

    def _coverage(self, address: Address, window: Window, place: Place, main: Evidence) -> Coverage:
        kinds = (Kind.NATIVE, Kind.TOKEN, *([Kind.INTERNAL] if place.internal else []))
        faults = [(State.FAILED, f"{place.bad} rows cannot be read", place.bad_block - 1)] if place.bad else []
        faults += [(State.CUT, place.gap, place.gap_block)] if place.gap else []
        faults += [(State.CUT, place.doubt, -1)] if place.doubt else []
        if not faults:
            return window.coverage(address, kinds, self.name, rows=place.rows, evidence=main.id)
        last = min(block for _, _, block in faults)
        return window.coverage(
            address, kinds, self.name, rows=place.rows, evidence=main.id, state=faults[0][0],
            reason="; ".join(why for _, why, _ in faults), last=last if last >= window.first else None,
        )  # fmt: skip

    def _block(self, number: int) -> Told | None:
        record, evidence = self._asking.node("/wallet/getblock", {"id_or_num": str(number), "detail": False})
        if not record:
            return None
        with self._readable(evidence):
            return block_of(record)

    @contextmanager
    def _readable(self, evidence: Evidence) -> Iterator[None]:
        """What is wrong with an answer's content is the source's fault, not the user's."""
        try:
            yield
        except SourceError:
            raise
        except FundtrailError as error:
            told = f"{self.name}: its answer cannot be used: {error}"
            raise SourceSkipped(told, source=self.name, request=evidence.request, body=evidence.body) from None


__all__ = ["DEFAULT", "KIND", "TronGrid"]
