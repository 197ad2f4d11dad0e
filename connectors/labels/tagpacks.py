"""GraphSense TagPacks: YAML with a header whose fields every tag inherits unless it says otherwise."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping

from connectors.labels.own import unguarded
from connectors.labels.rows import Claim, Document, Format, Outcome, Rejected, Skipped, day, told_by_form
from connectors.labels.strict_yaml import Yaml, parse_yaml
from connectors.strict_json import parse_json
from tracer.errors import BadRow, InputError
from tracer.labels import Role
from tracer.values import Chain

# graphsense-tagpack-tool, src/tagpack/db/confidence.csv and CHANGELOG
CONFIDENCE = {
    "override": 100, "ownership": 100, "ledger_immanent": 100, "manual_transaction": 90, "service_api": 70,
    "authority_data": 60, "trusted_provider": 50, "service_data": 50, "forensic": 50, "untrusted_transaction": 40,
    "web_crawl": 20, "heuristic": 10, "unknown": 5,
}  # fmt: skip

#: What a pack calls a chain -> what we do. GraphSense's own names first, then ours for chains that it does not carry.
NETWORKS = {
    "BTC": "bitcoin", "BCH": "bitcoin-cash", "LTC": "litecoin", "DOGE": "dogecoin", "TRX": "tron", "ETH": "ethereum",
    "ETC": "ethereum-classic", "BEP20": "bsc", "BSC": "bsc", "MATIC": "polygon", "POL": "polygon", "AVAX": "avalanche",
    "FTM": "fantom", "ARB": "arbitrum", "OP": "optimism", "BASE": "base", "CELO": "celo", "XDAI": "gnosis",
    "LINEA": "linea", "SCROLL": "scroll", "ZKSYNC": "zksync", "BLAST": "blast", "MANTLE": "mantle",
}  # fmt: skip
CONTEXT = "fundtrail"  # the key in a tag's `context` under which our own packs say what a tag has no field for
UNNAMED = "unnamed"
_MANY_CHAINS = ("USDT", "USDC")

_CATEGORIES = {
    "exchange": Role.EXCHANGE, "mixing_service": Role.MIXER, "coinjoin": Role.MIXER, "miner": Role.MINER,
    "defi": Role.PROTOCOL, "defi_lending": Role.PROTOCOL, "defi_dex": Role.PROTOCOL, "defi_bridge": Role.BRIDGE,
    "service": Role.SERVICE, "wallet_service": Role.SERVICE, "hosted_wallet": Role.SERVICE, "gambling": Role.SERVICE,
    "market": Role.SERVICE, "payment_processor": Role.SERVICE, "atm": Role.SERVICE, "faucet": Role.SERVICE,
}  # fmt: skip
# Terrorism and extremism are abuse of another kind: not proceeds of a fraud. They stay in the note.
_ABUSES = {
    "sanction": Role.SANCTIONED, "phishing": Role.SCAM, "scam": Role.SCAM, "service_hack": Role.SCAM,
    "ponzi_scheme": Role.SCAM, "pyramid_scheme": Role.SCAM, "investment_fraud": Role.SCAM, "ransomware": Role.SCAM,
    "sextortion": Role.SCAM,
}  # fmt: skip
_USED = {"address", "label", "source", "confidence", "lastmod", "tags"}

_HEAD = re.compile(r"^(?:title|creator|label|currency|lastmod):", re.MULTILINE)
_TAGS = re.compile(r"^tags:", re.MULTILINE)


def _fits(document: Document) -> bool:
    return bool(_TAGS.search(document.text) and _HEAD.search(document.text))


def _read(document: Document) -> Iterator[Outcome]:
    pack = parse_yaml(document.text, document.name)
    tags = pack.get("tags") if isinstance(pack, dict) else None
    if not isinstance(pack, dict) or not isinstance(tags, list):
        raise InputError(f"{document.name} has no list of tags", "a TagPack is a mapping with a list under 'tags'")
    header = {key: value for key, value in pack.items() if key != "tags"}
    for row, tag in enumerate(tags, 1):
        if not isinstance(tag, dict):
            yield Rejected(row, "a tag must be a mapping")
            continue
        try:
            yield _claim(row, header | tag, document)
        except BadRow as error:
            yield Rejected(row, str(error))


def _claim(row: int, tag: Mapping[str, Yaml], document: Document) -> Outcome:
    address = _word(tag, "address")
    symbol = (_word(tag, "network") or _word(tag, "currency")).upper()
    if symbol in _MANY_CHAINS:
        chain = told_by_form(address)
    elif symbol in NETWORKS:
        chain = Chain.named(NETWORKS[symbol])
    elif symbol:
        return Skipped(row, f"{symbol!r:.60} is on no chain we carry")
    else:
        chain = document.chain
    if chain is None:
        return Rejected(row, f"it does not say which chain {address!r:.60} is on")
    if exact := _exact(tag):
        return _own(row, address, chain, tag, exact)
    level = _word(tag, "confidence") or "unknown"
    if level not in CONFIDENCE:
        raise BadRow(f"{level!r:.60} is not a GraphSense confidence; they are {', '.join(CONFIDENCE)}")
    label = _word(tag, "label")
    source = _word(tag, "source") or document.source or _word(tag, "creator") or _word(tag, "title")
    seen = day(_word(tag, "lastmod")[:10]) or document.seen
    note = "; ".join(f"{key}: {_text(tag, key)}" for key in tag if key not in _USED)
    return Claim(
        row, address, (chain,), _word(tag, "actor") or label, label, _roles(tag, label + source),
        source, seen, CONFIDENCE[level], sys.intern(note),  # most tags of a pack share their note
    )  # fmt: skip


def _exact(tag: Mapping[str, Yaml]) -> dict[str, object]:
    """What a pack of our own says in `context` beyond the fields of a tag, {} for a tag of others."""
    context = _word(tag, "context")
    if f'"{CONTEXT}"' not in context:
        return {}
    told = parse_json(context, "context")
    exact = told.get(CONTEXT) if isinstance(told, dict) else None
    if not isinstance(exact, dict) or set(exact) != {"entity", "name", "role", "confidence", "source", "seen"}:
        return {}
    return exact


def _own(row: int, address: str, chain: Chain, tag: Mapping[str, Yaml], exact: Mapping[str, object]) -> Claim:
    """The claim as it was written; the tag's own fields must not say otherwise, since others read only those."""
    words = {key: exact[key] for key in ("entity", "name", "role", "source", "seen")}
    if not all(isinstance(text, str) for text in words.values()) or type(exact["confidence"]) is not int:
        raise BadRow("context holds something else than was written into it")
    entity, name, role, source, seen = map(str, words.values())
    shown = {"label": (name or entity).strip() or UNNAMED, "source": source.strip(), "lastmod": seen}
    if wrong := [key for key, text in shown.items() if _word(tag, key) != text]:
        raise BadRow(f"its {wrong[0]} and its context say different things")
    if role not in list(Role) or not 0 <= exact["confidence"] <= 100:
        raise BadRow(f"context names the role {role!r:.60} and the confidence {exact['confidence']}")
    claimed = unguarded(entity), unguarded(name), (Role(role),), unguarded(source), day(seen), exact["confidence"]
    return Claim(row, address, (chain,), *claimed)


def _roles(tag: Mapping[str, Yaml], words: str) -> tuple[Role, ...]:
    """Every role its category, concepts and abuse amount to; the packs made of OFAC's list say so only in words."""
    concepts = tag.get("concepts", [])
    kinds = [_word(tag, "category"), *(concepts if isinstance(concepts, list) else [_word(tag, "concepts")])]
    roles = [_CATEGORIES.get(str(kind)) for kind in kinds]
    roles.append(_ABUSES.get(_word(tag, "abuse")))
    if "ofac" in words.lower():
        roles.append(Role.SANCTIONED)
    return tuple(dict.fromkeys(role for role in roles if role)) or (Role.OTHER,)


def _word(tag: Mapping[str, Yaml], field: str) -> str:
    """A field that must be plain text, "" where it is missing."""
    value = tag.get(field, "")
    if not isinstance(value, str):
        raise BadRow(f"{field} is not plain text")
    return value.strip()


def _text(tag: Mapping[str, Yaml], field: str) -> str:
    value = tag[field]
    return value if isinstance(value, str) else ", ".join(map(str, value))


FORMAT = Format("tagpack", "tag", _fits, _read)
