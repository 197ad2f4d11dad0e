"""The source `esplora:URL`: an explorer of Bitcoin or Litecoin with the Esplora API, public or of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from connectors.bitcoin.chains import FORK, HALVINGS, chain_of, final_block
from connectors.bitcoin.esplora_answers import Figures, figures_of, judge
from connectors.bitcoin.listing import Listing
from connectors.bitcoin.pages import page_of, told_by, touches
from connectors.bitcoin.rows import from_esplora, transfer_of
from connectors.fields import moment_in, number_in, plain, problem_of, text_in
from connectors.http.network import Network
from connectors.http.pacing import Pace
from connectors.http.protocol import Request, Response
from connectors.protocol import Evidence, Page, Problem
from connectors.strict_json import parse_json
from connectors.window import Window
from tracer.addresses import looks_like_tx, parse_tx
from tracer.coverage import Kind, State
from tracer.errors import BadRow, FundtrailError, InputError, SourceSkipped, SourceUnusable
from tracer.values import UNKNOWN_INDEX, Address, Asset, Block, Chain, Family, Transfer

#: The public instance of each chain, where one is known.
PUBLIC = {
    "bitcoin": "https://blockstream.info/api",
    "bitcoin-testnet": "https://blockstream.info/testnet/api",
    "litecoin": "https://litecoinspace.org/api",
}
PUBLIC_HOSTS = ("blockstream.info", "mempool.space", "litecoinspace.org")
PUBLIC_PACE = (Pace(1),)  # they publish no number, only that whoever asks too fast is shut out
KINDS = (Kind.NATIVE,)
_TRIES = 3  # to see the newest block and an address's figures at one moment


class Esplora:
    """An Esplora instance. Without a URL, the public one of the chain asked about (Bitcoin, unless it is said)."""

    def __init__(self, where: str, network: Network, chain: Chain | None = None) -> None:
        if chain is not None and chain.family is not Family.BITCOIN:
            raise InputError(f"esplora: is an explorer of Bitcoin or its kin, not of {chain}", "see fundtrail sources")
        public = PUBLIC.get(chain.name if chain else "bitcoin", "")
        where = where or network.settings.url("esplora") or public
        if not where:
            raise InputError(f"no public Esplora of {chain} is known", "give the address of one: esplora:URL")
        self._url, self._name, self._asked = where.rstrip("/"), f"esplora:{where}", chain
        key = network.settings.key_at("esplora", where, *PUBLIC.values())
        self._secret = {"authorization": f"Bearer {key.value}"} if key else {}
        paces = PUBLIC_PACE if urlsplit(where).hostname in PUBLIC_HOSTS else ()
        self._door = network.door(self._name, "esplora", self._url, judge, paces)

    @property
    def name(self) -> str:
        """`esplora:URL`."""
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        """The one chain of the instance, by its genesis block. Asks the first time."""
        return frozenset({self._chain})

    @property
    def hosts(self) -> tuple[str, ...]:
        """The instance alone."""
        return (urlsplit(self._url).netloc,)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That a coinbase's fees count as new coins, where the chain's schedule is not known."""
        if self._chain.name in HALVINGS:
            return ()
        text = f"coinbases of {self._chain} count as new coins, the fees that they collect included"
        return (Problem(text, self._name),)

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """Pages as the explorer gives them, the newest transactions first. Raises `SourceError`.

        It says itself how many transactions there are, and the listing is READ only if it has exactly these.
        """
        _ = self._chain  # before anything is kept for a page
        self._door.take()
        if after:
            window, rest = Window.of(after)
            listing = Listing.of(rest) if rest else _listing(self._figures(address))
        else:
            figures = self._figures(address)
            window, listing = self._window_of(figures, 0), _listing(figures)
        while True:
            path = f"/address/{address.text}/txs/chain" + (f"/{listing.last}" if listing.last else "")
            response = self._get(path)
            evidence = Evidence(response.body, "", "").id
            transfers, problems = self._taken(address, listing, self._rows(response), evidence)
            transfers = [one for one in transfers if window.first <= one.block.number <= window.last]
            listing.rows += len(transfers)
            if listing.over:
                yield self._ended(address, window, listing, transfers, problems, evidence)
                return
            yield page_of(transfers, self._door.take(), problems, main=evidence, cursor=window.cursor(**listing.rest()))

    def _taken(
        self, address: Address, listing: Listing, rows: Sequence[Mapping[str, Any]], evidence: str
    ) -> tuple[list[Transfer], list[Problem]]:
        """The transfers of one page that belong to the listing, and what could not be read."""
        transfers, problems, last = [], [], ""
        for number, row in enumerate(rows):
            try:
                last = parse_tx(text_in(row, "txid"), self._chain)
                transfer = self._transfer(row, f"{evidence}#{number}")
                if transfer is None or not listing.take(last, transfer.block.number):
                    continue
                if not touches(transfer, address):
                    raise BadRow("it does not touch the address that was asked about")
                transfers.append(transfer)
            except FundtrailError as error:
                where = f"{self._name}, {address}, transaction {last or number}"
                problems.append(problem_of(error, where))
                listing.bad = listing.bad or f"transaction {last or number} cannot be read: {plain(error)}"
        listing.turned(last)
        return transfers, problems

    def _ended(
        self, address: Address, window: Window, listing: Listing, transfers: Sequence[Transfer],
        problems: Sequence[Problem], main: str,
    ) -> Page:  # fmt: skip
        """The last page, after asking once more: how many there are now, and whether the block is in the chain."""
        state, reason = listing.verdict()
        figures = self._figures(address)
        if figures.hash != window.tip and (found := self.block_hash(self._chain, window.last)) != window.tip:
            state = State.FAILED
            reason = f"block {window.last} was {window.tip} and is {found or 'gone'} now: it was reorganised"
        grown = figures.tip > listing.tip
        if (
            state is None
            and figures.transactions != listing.total
            and not (grown and figures.transactions > listing.total)
        ):
            state, reason = State.FAILED, f"it told of {listing.total} transactions, then of {figures.transactions}"
        if figures.unconfirmed:
            text = f"{figures.unconfirmed} transactions that are in no block are left out: they may never be in one"
            problems = (*problems, Problem(text, f"{self._name}, {address}"))
        coverage = window.coverage(
            address, KINDS, self._name, rows=listing.rows, evidence=main, reason=reason, state=state
        )
        return page_of(transfers, self._door.take(), problems, main=main, coverage=coverage)

    # What it can do besides.

    def cursor_from(self, chain: Chain, first: int) -> str:
        """See `ReadsOn`."""
        hash, height, at = self._tip()
        return Window(first, height, hash, final_block(self._chain, height), at).cursor()

    def block_hash(self, chain: Chain, number: int) -> str:
        """See `ReadsOn`."""
        response = self._get(f"/block-height/{number}")
        return "" if response.status == 404 else self._hash(self._text(response))

    def transaction(self, chain: Chain, tx: str) -> tuple[Transfer, ...]:
        """The transaction, if it is in a block. Raises `SourceSkipped` where it cannot be read."""
        if not looks_like_tx(tx):
            return ()
        response = self._get(f"/tx/{tx}")
        if response.status == 404:
            return ()
        row = self._json(response)
        try:
            if not isinstance(row, dict) or row.get("txid") != tx:
                raise BadRow("asked for it, the explorer gave another one")
            transfer = self._transfer(row, f"{Evidence(response.body, '', '').id}#0")
        except FundtrailError as error:
            raise SourceSkipped(f"{self._name}: transaction {tx}: {error}", error.hint, source=self._name) from None
        return (transfer,) if transfer else ()

    def balances(
        self, address: Address, assets: Sequence[Asset], block: int
    ) -> tuple[dict[Asset, int], tuple[Evidence, ...]]:
        """What came less what went, if `block` is the newest one: the explorer tells no other balance."""
        self._door.take()
        figures, coin = self._figures(address), address.chain.coin
        left = figures.funded - figures.spent
        held = {coin: left} if figures.tip == block and coin in assets and left >= 0 else {}
        return held, self._door.take()

    # Inside.

    @cached_property
    def _chain(self) -> Chain:
        any_chain = self._asked or Chain.named("bitcoin")
        genesis, fork = (self.block_hash(any_chain, number) for number in (0, FORK))
        self._door.take()
        try:
            return chain_of(genesis, fork, self._asked)
        except InputError as error:
            raise SourceUnusable(f"{self._name}: {error}", error.hint, source=self._name) from None

    def _window_of(self, figures: Figures, first: int) -> Window:
        return Window(first, figures.tip, figures.hash, final_block(self._chain, figures.tip), figures.at)

    def _tip(self) -> tuple[str, int, int]:
        """Hash and number of the newest block, and when the answer came."""
        response = self._get("/blocks/tip/hash")
        hash = self._hash(self._text(response))
        told = self._json(self._get(f"/block/{hash}"))
        if not isinstance(told, dict) or told.get("id") != hash:
            raise self._skipped(f"asked for block {hash}, it gave another one")
        with told_by(self._name):
            return hash, number_in(told, "height"), response.at

    def _figures(self, address: Address) -> Figures:
        """What it says of the address, and after which block: the newest block is the same before and afterwards."""
        for _ in range(_TRIES):
            hash, height, at = self._tip()
            told = self._json(self._get(f"/address/{address.text}"))
            if self._text(self._get("/blocks/tip/hash")) == hash:
                try:
                    return figures_of(told, hash, height, at)
                except FundtrailError as error:
                    raise self._skipped(f"what it says of {address} cannot be read: {plain(error)}") from None
        raise self._skipped(f"a new block came each of the {_TRIES} times it was asked about {address}; ask again")

    def _transfer(self, row: Mapping[str, Any], cited: str) -> Transfer | None:
        """None for a transaction that is in no block."""
        status = row.get("status")
        if not isinstance(status, dict):
            raise BadRow("it does not say in which block it is")
        if status.get("confirmed") is not True:
            return None
        hash = self._hash(text_in(status, "block_hash"))
        block = Block(number_in(status, "block_height"), moment_in(status, "block_time"), hash)
        told = from_esplora(row, self._chain)
        return transfer_of(told, self._chain, block, 0 if told.coinbase else UNKNOWN_INDEX, cited)

    def _rows(self, response: Response) -> list[dict[str, Any]]:
        told = self._json(response)
        if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
            raise self._skipped("a list of transactions is none", response.body)
        return told

    def _get(self, path: str) -> Response:
        return self._door.send(Request(self._url + path, secret_headers=self._secret))

    def _json(self, response: Response) -> object:
        try:
            return parse_json(response.body.decode(), "the answer", decimals=True)
        except (BadRow, UnicodeDecodeError) as error:
            raise self._skipped(plain(error), response.body) from None

    def _text(self, response: Response) -> str:
        return response.body.decode(errors="replace").strip()

    def _hash(self, text: str) -> str:
        if len(text) != 64 or not looks_like_tx(text):
            raise self._skipped(f"{plain(text, 80)} is no hash of a block")
        return text.lower()

    def _skipped(self, why: str, body: bytes = b"") -> SourceSkipped:
        return SourceSkipped(f"{self._name}: {why}", source=self._name, body=body)


def _listing(figures: Figures) -> Listing:
    return Listing(figures.transactions, figures.tip)


__all__ = ["PUBLIC", "PUBLIC_HOSTS", "Esplora"]
