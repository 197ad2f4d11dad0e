"""Writes the facts of the demo case from the recorded answers: `python tests/ronin_facts.py cases/ronin2022`.

The recording itself is not ours to give away and is not in the repository; what happened on the chain is nobody's. A
test compares what is in the repository with what this gives.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from connectors.etherscan.recorded import EtherscanRecorded  # noqa: E402 - run as a script, the root is not on the path
from connectors.labels import write_labels  # noqa: E402  needs the path above
from connectors.transfer_writing import write_transfers  # noqa: E402  needs the path above
from tracer.coverage import Coverage  # noqa: E402  needs the path above
from tracer.labels import Label, Role  # noqa: E402  needs the path above
from tracer.ledger import Ledger  # noqa: E402  needs the path above
from tracer.values import Address, Chain, Transfer  # noqa: E402  needs the path above

RECORDED = ROOT.parent / "shared" / "data" / "ronin2022" / "ronin2022.core.jsonl.gz"
ETHEREUM = Chain.named("ethereum")

NAME_TAGS = "Etherscan name tag, October 2023 (github.com/brianleect/etherscan-labels, MIT, commit 923aba7)"
OFAC = "US Treasury, OFAC SDN list, 2024-09-27 (github.com/0xB10C/ofac-sanctioned-digital-currency-addresses, MIT)"
LABELS = (
    ("0x098b716b8aaf21512996dc57eb0615e2383e2f96", "Lazarus Group", "Ronin Bridge Exploiter", Role.SCAM, NAME_TAGS, ""),
    ("0x098b716b8aaf21512996dc57eb0615e2383e2f96", "OFAC SDN", "", Role.SANCTIONED, OFAC, ""),
    ("0xd90e2f925da726b50c4ed8d0fb90ad053324f31b", "Tornado Cash", "Tornado.Cash: Router", Role.MIXER, NAME_TAGS, ""),
    (
        "0x73f8fc2e74302eb2efda125a326655acf0dc2d1b",
        "HTX (Huobi)",
        "HTX (Huobi) 35",
        Role.EXCHANGE,
        NAME_TAGS,
        "Huobi 35",
    ),
    (
        "0x28ffe35688ffffd0659aee2e34778b0ae4e193ad",
        "HTX (Huobi)",
        "HTX (Huobi) 33",
        Role.EXCHANGE,
        NAME_TAGS,
        "Huobi 33",
    ),
    (
        "0xcac725bef4f114f728cbcfd744a731c2a463c3fc",
        "HTX (Huobi)",
        "HTX (Huobi) 34",
        Role.EXCHANGE,
        NAME_TAGS,
        "Huobi 34",
    ),
    ("0xc098b2a3aa256d2140208c3de6543aaef5cd3a94", "FTX", "FTX 2", Role.EXCHANGE, NAME_TAGS, "FTX Exchange 2"),
)


def facts() -> tuple[list[Transfer], list[Coverage]]:
    """The transfers of the recorded wallets, each once, and what was read of each; sources in words."""
    source = EtherscanRecorded(RECORDED)
    transfers: dict[object, Transfer] = {}
    coverage: list[Coverage] = []
    for wallet in _wallets(source):
        for page in source.history(wallet):
            for transfer in page.transfers:
                cited = f"Etherscan account txlist of {wallet}, answered September 2023"
                transfers.setdefault(transfer.id, replace(transfer, evidence=(cited,)))
            if page.coverage:
                coverage.append(replace(page.coverage, source="Etherscan account txlist", evidence="", rows=0))
    return list(Ledger.of(transfers.values()).transfers), coverage


def labels() -> list[Label]:
    """The labels the case needs: who says so, and the tag as it read where the exchange has another name today."""
    return [
        Label(Address(ETHEREUM, address), entity, name, role, source, None, 60 if source == OFAC else 50, "facts", tag)
        for address, entity, name, role, source, tag in LABELS
    ]


def write(folder: Path) -> None:
    """Write transfers, coverage and labels into `folder`, which must not hold any yet."""
    transfers, coverage = facts()
    write_transfers(transfers, coverage, folder)
    write_labels(labels(), folder / "labels.csv")


def _wallets(source: EtherscanRecorded) -> Iterator[Address]:
    yield from sorted(source._recordings)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
