"""Lists of scam addresses: Forta's labelled data sets, and bare JSON lists where the user says that they are such."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.labels.rows import Claim, Document, Format, Outcome, Rejected, table
from connectors.strict_json import parse_json
from tracer.errors import InputError
from tracer.labels import Role
from tracer.values import Chain

CRAWLED = 20  # as TagPacks grade it

# Forta keeps each chain's files in a folder named for the chain's number (EIP-155).
_NUMBERED = {
    "1": "ethereum", "10": "optimism", "56": "bsc", "137": "polygon", "250": "fantom", "8453": "base",
    "42161": "arbitrum", "43114": "avalanche",
}  # fmt: skip


def _forta(name: str, address: str, tag: str, notes: tuple[str, ...]) -> Format:
    """A Forta table with these columns; `notes` are kept as the label's note."""

    def read(document: Document) -> Iterator[Outcome]:
        chain = _chain_of(document)

        def claim(row: int, cells: dict[str, str]) -> Outcome:
            note = "; ".join(f"{column}: {cells[column]}" for column in notes if cells.get(column))
            source = cells.get("data_source") or cells.get("source") or document.source or "Forta labelled data sets"
            who = cells[tag]
            return Claim(row, cells[address], (chain,), who, who, (Role.SCAM,), source, document.seen, CRAWLED, note)

        return table(document, (address, tag), claim)

    return Format(name, "row", _has(address, tag), read)


def _has(*columns: str) -> Callable[[Document], bool]:
    return lambda document: set(columns) <= set(document.header)


def _chain_of(document: Document) -> Chain:
    if document.chain is not None:
        return document.chain
    if document.folder in _NUMBERED:
        return Chain.named(_NUMBERED[document.folder])
    raise InputError(f"{document.name} does not say which chain it is about", "say the chain")


def _read_list(document: Document) -> Iterator[Outcome]:
    """`["0x...", ...]`, or `{"fake-site.com": ["0x...", ...]}`, where the key is what the addresses were found at."""
    listed = parse_json(document.text, document.name)
    chain = _chain_of(document)
    if isinstance(listed, list):
        listed = {"": listed}
    if not isinstance(listed, dict):
        raise InputError(f"{document.name} is no list", 'write ["0x...", ...] or {"found at": ["0x...", ...]}')
    row = 0
    for found_at, addresses in listed.items():
        for address in addresses if isinstance(addresses, list) else [addresses]:
            row += 1
            if isinstance(address, str):
                yield Claim(
                    row, address, (chain,), found_at, found_at, (Role.SCAM,),
                    document.source or document.name, document.seen, CRAWLED,
                )  # fmt: skip
            else:
                yield Rejected(row, f"{address!r:.60} is not an address")


FORMATS = (
    _forta("forta-phishing", "address", "etherscan_tag", ("etherscan_labels", "is_contract")),
    _forta("forta-malicious", "banned_address", "wallet_tag", ()),
    _forta(
        "forta-contracts", "contract_address", "contract_tag",
        ("notes", "contract_creator", "contract_creator_tag", "contract_creator_etherscan_label",
         "contract_creation_tx"),
    ),
    # Never chosen by content: a list of addresses does not say what they are accused of.
    Format("scam-list", "entry", None, _read_list),
)  # fmt: skip
