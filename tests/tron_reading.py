"""Opens TronGrid on a made-up provider, with a clock that costs no time, and reads it to its end."""

from __future__ import annotations

from connectors.http.network import Network
from connectors.http.retrying import Patience
from connectors.protocol import Page
from connectors.settings import Settings
from connectors.tron.trongrid import TronGrid
from tracer.coverage import Coverage
from tracer.values import Address
from tron_provider import Fact, TronProvider, fact_of
from virtual_clock import VirtualClock


def opened(provider: TronProvider, *, key: str = "", clock: VirtualClock | None = None, attempts: int = 6) -> TronGrid:
    environ = {"TRONGRID_API_KEY": key} if key else {}
    patience = Patience(attempts=attempts, failures=10**6)
    network = Network(Settings(environ), transport=provider, clock=clock or VirtualClock(), patience=patience)
    return TronGrid("", network)


def read(connector: TronGrid, address: Address, after: str = "") -> tuple[set[tuple[str, Fact]], Coverage, list[Page]]:
    pages = list(connector.history(address, after))
    coverage = pages[-1].coverage
    assert coverage is not None
    return {fact_of(transfer) for page in pages for transfer in page.transfers}, coverage, pages
