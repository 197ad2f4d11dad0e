"""Which web addresses a source may have: a plain one, that every reader of it reads alike."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from tracer.errors import InputError

KEY = "{key}"  # in a URL: where its provider wants the key
_FOREIGN = re.compile(r"[^\x21-\x7e]|[\\<>\"^`|]")  # what one reader of an address drops, and the next one does not
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


def require_safe(url: str) -> None:
    """Refuse what is no plain web address: another scheme, a name and password in front of the host, a host that is
    spelt so that it looks like another, or one where no source can be.

    What is refused is not repeated: there may be a key in it.

    >>> require_safe("file:///etc/passwd")
    Traceback (most recent call last):
    ...
    tracer.errors.InputError: 'file' is no scheme for a source
    """
    parts = _split(url)
    if not parts.scheme:
        raise InputError("the address of a source begins with https:// or http://", "for example http://127.0.0.1:8545")
    if parts.scheme not in _PORTS:
        raise InputError(
            f"{parts.scheme!r:.20} is no scheme for a source", "https://, or http:// for a node of your own"
        )
    if not parts.hostname or "@" in parts.netloc:
        raise InputError("the address of a source names a host and no password", "give keys by environment or file")
    if KEY in parts.netloc:
        raise InputError(
            f"{KEY} stands in the host name, which anybody on the way can read", f"put {KEY} behind the host"
        )
    _require_possible(parts.hostname)


def place_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port, as a plain web address says them.

    >>> place_of("https://API.example.org/v2")
    ('https', 'api.example.org', 443)
    """
    parts = _split(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _, _ = parts.hostname, parts.port
        if _FOREIGN.search(url):
            raise ValueError
    except ValueError:
        raise InputError("not a web address", "for example https://api.etherscan.io/v2/api") from None
    return parts


def _require_possible(host: str) -> None:
    try:
        number = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if _NUMBER.fullmatch(host):  # an IP address in another notation than the usual one
            raise InputError(f"{host:.60} is no host name and no IP address", "write it as 127.0.0.1") from None
        return
    seen = {number}
    if isinstance(number, ipaddress.IPv6Address):  # the IPv4 address that it may stand for
        seen |= {inner for inner in (number.ipv4_mapped, number.sixtofour, *(number.teredo or ())) if inner}
    if any(one.is_link_local or one.is_multicast or one.is_unspecified or one.is_reserved for one in seen):
        raise InputError(f"no source is at {host:.60}", "name the host of the source")


__all__ = ["KEY", "place_of", "require_safe"]
