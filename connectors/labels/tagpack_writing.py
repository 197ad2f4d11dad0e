"""Writes labels as a GraphSense TagPack that can be read by anyone and comes back here as it was.

Only the fields named here leave: a label's note stays out, since free words may name a person. What a pack cannot
say (our role, the exact confidence, entity and name apart) is in the tag's `context`, which GraphSense keeps as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date

from connectors.labels.own import guarded
from connectors.labels.tagpacks import CONFIDENCE, CONTEXT, NETWORKS, UNNAMED
from tracer.labels import Label, Role

_NETWORK = {chain: network for network, chain in reversed(NETWORKS.items())}
_CATEGORY = {
    Role.EXCHANGE: "exchange", Role.EXCHANGE_DEPOSIT: "exchange", Role.SERVICE: "service", Role.MIXER: "mixing_service",
    Role.BRIDGE: "defi_bridge", Role.PROTOCOL: "defi", Role.MINER: "miner",
}  # fmt: skip
_ABUSE = {Role.SCAM: "scam", Role.SANCTIONED: "sanction"}
_ODD = re.compile(r"[^ -~]")


def tagpack_of(labels: Iterable[Label]) -> str:
    """The pack, in ASCII. `read_labels` gives back all but `note`, and `evidence`, which becomes that file."""
    return "\n".join([*_lines(list(labels)), ""])


def _lines(labels: list[Label]) -> Iterator[str]:
    yield "title: labels of a fundtrail case"
    yield "creator: fundtrail"
    yield "description: claims by the sources named at each tag; to be read by a person before it is published"
    yield "is_public: false"
    yield "tags:" if labels else "tags: []"
    for label in labels:
        fields = {
            "address": label.address.text,
            "currency": label.address.chain.symbol,
            "network": _NETWORK[label.address.chain.name],
            "label": guarded(label.name or label.entity).strip() or UNNAMED,
            "source": guarded(label.source),
            "confidence": _level(label.confidence),
            "category": _CATEGORY.get(label.role, ""),
            "abuse": _ABUSE.get(label.role, ""),
            "lastmod": _day(label.seen),
            "context": _context(label),
        }
        mark = "-"
        for name, text in fields.items():
            if text:
                yield f"{mark} {name}: {_quoted(text)}"
                mark = " "


def _context(label: Label) -> str:
    exact = {
        "entity": guarded(label.entity), "name": guarded(label.name), "role": label.role.value,
        "confidence": label.confidence, "source": guarded(label.source), "seen": _day(label.seen),
    }  # fmt: skip
    return json.dumps({CONTEXT: exact}, ensure_ascii=True, sort_keys=True)


def _level(confidence: int) -> str:
    """The highest of GraphSense's levels that is not above it: never surer than the source was."""
    fitting = [(value, name) for name, value in CONFIDENCE.items() if value <= confidence]
    value = max(fitting, default=(0, "unknown"))[0]
    return next((name for name in _PREFERRED if CONFIDENCE[name] == value), "unknown")


_PREFERRED = ("ownership", "manual_transaction", "service_api", "authority_data", "forensic", "untrusted_transaction",
              "web_crawl", "heuristic", "unknown")  # fmt: skip


def _day(seen: date | None) -> str:
    return seen.isoformat() if seen else ""


def _quoted(text: str) -> str:
    """A double-quoted YAML scalar in ASCII: nothing in it can end it, and no reader can take it for another kind."""
    return '"' + _ODD.sub(_escape, text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
