"""The recorded wallets of the Ronin theft, read live from a service that gives 1,000 rows an answer."""

from __future__ import annotations

from collections import Counter

import pytest

from connectors.etherscan.recorded import EtherscanRecorded
from connectors.sources import open_source
from ronin_provider import DATA, RoninProvider
from tracer.addresses import parse
from tracer.coverage import State
from tracer.values import Address, Chain, Transfer

ETH = Chain.named("ethereum")
EXPLOITER = parse("0x098b716b8aaf21512996dc57eb0615e2383e2f96", ETH)

needs_data = pytest.mark.skipif(not DATA.exists(), reason="the real data is not beside the repository")


def said(transfers: list[Transfer]) -> Counter[object]:
    return Counter((one.id, one.block, one.block.hash, one.index, one.inputs, one.outputs) for one in transfers)


@pytest.mark.slow
@needs_data
def test_every_recorded_wallet_reads_as_it_was_recorded() -> None:
    provider = RoninProvider()
    source = open_source("etherscan:ethereum", provider.network())
    recorded = EtherscanRecorded(DATA / "ronin2022.jsonl.xz")
    assert len(provider.wallets) == 134
    rows, most = 0, 0
    for text in provider.wallets:
        address: Address = parse(text, ETH)
        before = len(provider.requests)
        pages = list(source.history(address))
        most = max(most, len(provider.requests) - before)
        coverage = pages[-1].coverage
        assert coverage is not None
        assert coverage.state in (State.READ, State.EMPTY)
        assert coverage.last == provider.chain.head
        rows += coverage.rows
        found = [transfer for page in pages for transfer in page.transfers]
        kept = [transfer for page in recorded.history(address) for transfer in page.transfers]
        assert said(found) == said(kept)
    assert rows == 21_254
    assert most < 30  # the largest list has more than 9,000 rows


@needs_data
def test_the_exploiter_sent_out_what_was_published() -> None:
    provider = RoninProvider(page=500)
    pages = list(open_source("etherscan:ethereum", provider.network()).history(EXPLOITER))
    found = [transfer for page in pages for transfer in page.transfers]
    sent = sum(t.units for t in found if t.id.position == "tx" and t.inputs[0].address == EXPLOITER)
    assert sent == 182_165_956_030_000_000_000_000  # published as 182,165.96 ETH
