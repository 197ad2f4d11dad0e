"""Name tags of block explorers: `{address: {name, labels}}` for a whole chain, or one CSV for each label word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from connectors.labels.explorer_roles import deposit_at, owner, roles_of
from connectors.labels.rows import Claim, Document, Format, Outcome, Rejected, table
from connectors.strict_json import parse_json
from tracer.errors import InputError
from tracer.values import Chain

CRAWLED = 20  # as TagPacks grade what was read off web pages

_CHAINS = {
    "etherscan": "ethereum", "bscscan": "bsc", "polygonscan": "polygon", "arbiscan": "arbitrum",
    "optimism": "optimism", "optimistic": "optimism", "ftmscan": "fantom", "avalanche": "avalanche",
    "snowtrace": "avalanche", "basescan": "base", "gnosisscan": "gnosis", "celoscan": "celo", "lineascan": "linea",
    "scrollscan": "scroll", "blastscan": "blast", "mantlescan": "mantle",
}  # fmt: skip
_EXPLORER = re.compile(r"[a-z]+", re.ASCII)
_START = re.compile(r'\s*\{\s*"[^"]{0,200}"\s*:\s*\{\s*"(?:name|labels)"\s*:')
_COLUMNS = ("Address", "Name Tag")


def _fits(document: Document) -> bool:
    return _START.match(document.text) is not None


def _read(document: Document) -> Iterator[Outcome]:
    tags = parse_json(document.text, document.name)
    if not isinstance(tags, dict):
        raise InputError(f"{document.name} is no object", 'write {"0x...": {"name": ..., "labels": [...]}}')
    explorer, chain = _place(document, document.name)
    for row, (address, tag) in enumerate(tags.items(), 1):
        match tag:
            case {"name": str(name), "labels": list(labels)} if all(isinstance(word, str) for word in labels):
                yield _claim(row, address, name, labels, chain, document, explorer)
            case _:
                yield Rejected(row, f"the tag of {address!r:.60} is not a name and a list of labels")


def _read_by_label(document: Document) -> Iterator[Outcome]:
    explorer, chain = _place(document, document.folder)
    label = document.name.partition(".")[0]
    return table(
        document,
        _COLUMNS,
        lambda row, cells: _claim(row, cells["Address"], cells["Name Tag"], [label], chain, document, explorer),
    )


def _place(document: Document, name: str) -> tuple[str, Chain]:
    """The explorer and the chain: as the caller says, else as the name of the file or folder begins."""
    start = _EXPLORER.match(name)
    explorer = start[0] if start and start[0] in _CHAINS else ""
    if document.chain is not None:
        return explorer, document.chain
    if not explorer:
        raise InputError(
            f"{document.name} does not say which chain it is about",
            f"say the chain, or let the name begin with one of {', '.join(_CHAINS)}",
        )
    return explorer, Chain.named(_CHAINS[explorer])


def _claim(
    row: int, address: str, name: str, labels: Iterable[str], chain: Chain, document: Document, explorer: str
) -> Outcome:
    words = tuple(labels)
    if not name and not words:
        return Rejected(row, f"neither a name nor a label for {address!r:.60}")
    # Without a name the label word is all that is said about who it is; nothing is made up.
    entity = (deposit_at(name) or owner(name)) if name else words[0]
    source = document.source or (f"{explorer} name tags" if explorer else document.name)
    return Claim(
        row, address, (chain,), entity, name, roles_of(name, words), source, document.seen, CRAWLED, ", ".join(words)
    )


FORMAT = Format("explorer-tags", "entry", _fits, _read)
BY_LABEL = Format("explorer-label", "row", lambda document: set(_COLUMNS) <= set(document.header), _read_by_label)
