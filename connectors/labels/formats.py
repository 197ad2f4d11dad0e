"""The label formats we read, by name."""

from __future__ import annotations

from connectors.labels import exchange_wallets, explorers, ofac, own, scams, tagpacks
from connectors.labels.rows import Format

FORMATS: dict[str, Format] = {
    kind.name: kind
    for kind in (
        own.FORMAT,
        ofac.FORMAT,
        explorers.FORMAT,
        explorers.BY_LABEL,
        exchange_wallets.FORMAT,
        tagpacks.FORMAT,
        *scams.FORMATS,
    )
}
