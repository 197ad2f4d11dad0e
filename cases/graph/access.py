"""Where a Neo4j server is and who we are to it: from the environment, as Aura's own files name it, or a keyring."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tracer.errors import InputError

SERVICE = "fundtrail"
SCHEMES = ("bolt", "bolt+s", "neo4j", "neo4j+s")
DEFAULTS = frozenset({"neo4j", "password", ""})  # what servers and examples come with
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


@dataclass(frozen=True, slots=True)
class Access:
    """One database of one server. The password is in no text that this makes."""

    uri: str
    username: str
    password: str = field(repr=False)
    database: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str], uri: str = "", *, keyring: bool = True) -> Access:
        """From `NEO4J_URI` (else `uri`), `NEO4J_USERNAME`, `NEO4J_PASSWORD` and `NEO4J_DATABASE`.

        Without a password there, a keyring is asked for `neo4j:URI` of the service `fundtrail`. Raises `InputError`.
        """
        where = uri or environ.get("NEO4J_URI", "").strip()
        checked(where)
        username = environ.get("NEO4J_USERNAME", "").strip() or "neo4j"
        password = environ.get("NEO4J_PASSWORD", "") or (_in_keyring(where) if keyring else "")
        if not password:
            raise InputError(
                f"there is no password for {where}", "set NEO4J_PASSWORD in the environment, or keep it in a keyring"
            )
        if password in DEFAULTS or password == username:
            raise InputError(
                f"the password for {where} is one that anybody tries first",
                "give the server another: ALTER CURRENT USER SET PASSWORD FROM ... TO ...",
            )
        return cls(where, username, password, environ.get("NEO4J_DATABASE", "").strip())

    @property
    def warning(self) -> str:
        """What a user should know before anything is sent, "" where there is nothing."""
        if urlsplit(self.uri).scheme.endswith("+s") or _on_this_machine(urlsplit(self.uri).hostname or ""):
            return ""
        return f"{self.uri} is not encrypted: whoever is on the way reads the case; neo4j+s:// or bolt+s:// is"


def checked(uri: str) -> str:
    """`uri`, if it names a server and nothing secret. Raises `InputError`."""
    if not uri:
        raise InputError("no Neo4j server is named", "set NEO4J_URI, for example bolt://127.0.0.1:7687")
    try:
        parts = urlsplit(uri)
        host, secret = parts.hostname, parts.username or parts.password
        _ = parts.port
    except ValueError:
        raise InputError(
            "the address of the Neo4j server cannot be read", "for example bolt://127.0.0.1:7687"
        ) from None
    if secret or "@" in uri:
        raise InputError("a name or a password stands in the address of the Neo4j server", "set NEO4J_PASSWORD instead")
    if parts.scheme.endswith("+ssc"):
        raise InputError(f"{parts.scheme} takes any certificate", "use neo4j+s:// or bolt+s://, which check it")
    if parts.scheme not in SCHEMES or not host:
        raise InputError(f"not the address of a Neo4j server: {uri:.80}", f"one of {', '.join(SCHEMES)}, then ://HOST")
    return uri


def checked_name(name: str) -> str:
    """`name`, if a case can have it in a database: it is part of every key there. Raises `InputError`."""
    if not NAME.match(name):
        raise InputError(
            f"a case cannot be named {name!r:.80} in a database",
            "letters, digits, dots, lines, at most 63: give one with --name",
        )
    return name


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_keyring(uri: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        return keyring.get_password(SERVICE, f"neo4j:{uri}") or ""
    except KeyringError:
        return ""
