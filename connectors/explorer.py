"""What all explorers that answer in lists have in common: one chain, one host, one end for all lists, page by page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from connectors.http.protocol import Clock
from connectors.place import Place
from connectors.protocol import Evidence, Page
from connectors.window import Window
from tracer.coverage import State
from tracer.errors import InputError, SourceSkipped
from tracer.values import Address, Chain, Transfer

RECENT = 60  # seconds for which the newest block is not asked for again
Newest = TypeVar("Newest")
At = TypeVar("At", bound=Place)


class Asks:
    """What asks the explorer named `source`."""

    __slots__ = ()
    source: str

    @contextmanager
    def understanding(self, evidence: Evidence) -> Iterator[None]:
        """What cannot be read inside becomes a `SourceSkipped` with the answer at fault."""
        try:
            yield
        except InputError as error:
            raise self.skipped(str(error), evidence) from None

    def skipped(self, why: str, evidence: Evidence) -> SourceSkipped:
        """The error to raise for an answer that cannot be used."""
        told = f"{self.source}: {why}"
        return SourceSkipped(told, source=self.source, request=evidence.request, body=evidence.body)


class Explorer(ABC, Generic[Newest, At]):
    """Reads list after list up to one block. Who inherits finds that block, and says where to begin and what follows.

    `base` is the address of the service, and `place` the kind of place that its cursors hold.
    """

    def __init__(self, name: str, chain: Chain, base: str, place: type[At], clock: Clock) -> None:
        self._name, self._chain, self._host = name, chain, urlsplit(base).netloc
        self._place, self._clock = place, clock
        self._head: Newest | None = None
        self._head_at = 0.0

    @property
    def name(self) -> str:
        """The kind of source, and the URL or chain as given."""
        return self._name

    @property
    def chains(self) -> frozenset[Chain]:
        """The one chain that it is asked about."""
        return frozenset({self._chain})

    @property
    def hosts(self) -> tuple[str, ...]:
        """The one host that it speaks to."""
        return (self._host,)

    def history(self, address: Address, after: str = "") -> Iterator[Page]:
        """See `Connector`. The first page also holds how the newest block was found."""
        if address.chain != self._chain:
            raise InputError(f"{self._name} does not answer for {address.chain}", f"it does for {self._chain}")
        if after:
            window, told = Window.of(after)
            place, held = self._place.of(told), tuple[Evidence, ...]()
        else:
            window, place, held = self._begun(0, self._recent())
        while True:
            page, next_place = self._page(address, window, place, held)
            yield page
            if next_place is None:
                return
            place, held = next_place, ()

    def cursor_from(self, chain: Chain, first: int) -> str:
        """See `ReadsOn`. Where there is no newer block yet, the newest one is read again."""
        self._head = None
        window, place, _ = self._begun(first, self._recent())
        return window.cursor(**place.told())

    def _recent(self) -> Newest:
        """The head, asked for anew after a minute: what is read within one ends at the same block."""
        if self._head is None or self._clock.monotonic() - self._head_at > RECENT:
            self._head, self._head_at = self._newest(), self._clock.monotonic()
        return self._head

    def _replaced(self, window: Window, place: At, transfers: tuple[Transfer, ...]) -> tuple[At, tuple[Transfer, ...]]:
        """What is left of a reading whose last block is another one at its end: what was final already."""
        self._head = None
        told = f"block {window.last} was replaced while it was read (a reorganisation): read it again"
        last = -1 if window.final is None else window.final
        return place.with_gap(State.CUT, told, last), window.final_of(transfers)

    @abstractmethod
    def _newest(self) -> Newest:
        """The newest block that all lists have reached. Raises `SourceError`."""

    @abstractmethod
    def _begun(self, first: int, head: Newest) -> tuple[Window, At, tuple[Evidence, ...]]:
        """Where a reading from block `first` on begins, and what showed the head."""

    @abstractmethod
    def _page(self, address: Address, window: Window, place: At, held: tuple[Evidence, ...]) -> tuple[Page, At | None]:
        """The page at `place`, and the place after it, None at the end. `held` is evidence that belongs to it too."""


__all__ = ["RECENT", "Asks", "Explorer"]
