"""Takes our own secrets out of what a provider sends back, before it is kept and shown to others."""

from __future__ import annotations

import base64
import binascii
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from connectors.http.protocol import Request

WITHHELD = b"[key withheld]"  # no number and no address: where it replaces part of one, that cannot be read as another
_SHORTEST = 6  # shorter ones stand in any text by chance


def withheld(body: bytes, request: Request, *, cut: bool = False) -> bytes:
    """`body` without the secrets of `request`, however they are spelt. `cut`: its end may be the beginning of one.

    >>> withheld(b"no such key: k1234567", Request("https://x.org", secret_params={"apikey": "k1234567"}))
    b'no such key: [key withheld]'
    """
    # The longest first: one secret may be part of another, and half of that one would be left.
    secrets = sorted({secret.encode() for secret in _spellings(request)}, key=lambda one: (-len(one), one))
    for secret in secrets:
        body = body.replace(secret, WITHHELD)
    for secret in secrets if cut else ():
        for length in range(len(secret) - 1, _SHORTEST - 1, -1):
            if body.endswith(secret[:length]):
                return body[:-length] + WITHHELD
    return body


def _spellings(request: Request) -> Iterator[str]:
    for secret in _secrets(request):
        if len(secret) >= _SHORTEST:
            quoted = quote(secret, safe="")
            yield from (secret, quoted, quote_plus(secret), quote(secret), _small_escapes(quoted))
            yield from (html.escape(secret), json.dumps(secret)[1:-1], json.dumps(secret).replace("/", "\\/")[1:-1])
            for before in range(3):  # in base64 it looks otherwise, as it begins within three bytes
                coded = base64.b64encode(bytes(before) + secret.encode()).decode()
                coded = coded.rstrip("=") if not before else coded[4:-4]
                if len(coded) >= _SHORTEST:
                    yield from (coded, coded.replace("+", "-").replace("/", "_"))


def _secrets(request: Request) -> Iterator[str]:
    yield from request.secret_params.values()
    yield request.secret_key
    for value in request.secret_headers.values():
        scheme, _, told = value.rpartition(" ")
        yield from (value, told)
        if scheme.lower() == "basic":
            try:
                login = base64.b64decode(told, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
            yield from (login, login.partition(":")[2])


def _small_escapes(quoted: str) -> str:
    """`%2F` as `%2f`: both are right, and providers use both."""
    first, *rest = quoted.split("%")
    return first + "".join("%" + part[:2].lower() + part[2:] for part in rest)


__all__ = ["WITHHELD", "withheld"]
