"""What a user has configured: keys, base addresses, a proxy. From the environment, a private file, or a keyring."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tracer.errors import InputError

#: The environment variables that hold a key, by kind of source: the names that others use too, the first one found.
KEY_VARIABLES: dict[str, tuple[str, ...]] = {
    "etherscan": ("ETHERSCAN_API_KEY",),
    "blockscout": ("BLOCKSCOUT_API_KEY",),
    "trongrid": ("TRONGRID_API_KEY", "TRON_PRO_API_KEY"),
    "rpc": ("FUNDTRAIL_RPC_KEY",),  # what stands for {key} in rpc:https://.../{key}
    "core": ("BITCOIN_RPC_LOGIN",),  # USER:PASSWORD, or the content of Core's .cookie
    "esplora": ("ESPLORA_API_KEY",),
    "coingecko": ("COINGECKO_API_KEY", "COINGECKO_DEMO_API_KEY"),
    "defillama": ("DEFILLAMA_API_KEY",),
}
KNOWN = ("proxy", "sources")
KNOWN_OF_SOURCE = ("key", "url", "requests_per_second")
SERVICE = "fundtrail"  # the name under which keys stand in a keyring


@dataclass(frozen=True, slots=True)
class Key:
    """A secret, and where it came from. Only `value` shows it: `str()` and `repr()` do not."""

    value: str = field(repr=False)
    origin: str

    def __str__(self) -> str:
        return f"set, from {self.origin}"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that is configured. Made by `load`; `Settings()` has nothing configured, and keeps nothing between runs."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    file: Mapping[str, Any] = field(default_factory=dict, repr=False)
    path: Path | None = None
    cache: Path | None = None

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, path: Path | None = None) -> Settings:
        """From the environment and the file (`FUNDTRAIL_CONFIG`, or the usual place). Raises `InputError`."""
        import platformdirs

        environ = os.environ if environ is None else environ
        stated = path or (Path(environ["FUNDTRAIL_CONFIG"]) if environ.get("FUNDTRAIL_CONFIG") else None)
        path = stated or Path(platformdirs.user_config_dir("fundtrail")) / "config.toml"
        told = _read(path)
        cache = Path(environ.get("FUNDTRAIL_CACHE") or platformdirs.user_cache_dir("fundtrail"))
        if stated and told is None:
            raise InputError(f"there is no file {path}", "FUNDTRAIL_CONFIG names the configuration file")
        return cls(environ, told or {}, path, cache)

    @property
    def proxy(self) -> str:
        """The proxy for every request, "" for none: `FUNDTRAIL_PROXY`, or `proxy` in the file."""
        return self.environ.get("FUNDTRAIL_PROXY", "").strip() or self._text(self.file, "proxy", "proxy")

    def key(self, kind: str) -> Key | None:
        """The key for a kind of source: environment before file before keyring; None where there is none."""
        for name in KEY_VARIABLES.get(kind, ()):
            if value := self.environ.get(name, "").strip():
                return _checked(Key(value, f"the environment ({name})"))
        if value := self._text(self._of(kind), "key", f"sources.{kind}.key").strip():
            return _checked(Key(value, str(self.path)))
        if value := _in_keyring(kind).strip() if self.cache else "":
            return _checked(Key(value, "the keyring"))
        return None

    def key_at(self, kind: str, base: str, *public: str) -> Key | None:
        """The key for a kind of source, if `base` is where it belongs: at the host of the address that is configured
        for the kind, or of a `public` one. Another host does not get it, whoever named it."""
        own = {urlsplit(url).netloc.lower() for url in (self.url(kind), *public) if url}
        return self.key(kind) if urlsplit(base).netloc.lower() in own else None

    def url(self, kind: str) -> str:
        """The base address configured for a kind of source, "" where its public one is to be used."""
        return self._text(self._of(kind), "url", f"sources.{kind}.url").strip()

    def requests_per_second(self, kind: str) -> int:
        """How many requests a second the user's plan allows, 0 where he does not say."""
        number = self._of(kind).get("requests_per_second", 0)
        if type(number) is not int or number < 0:
            told = f"requests_per_second of {kind} is no whole number from 0 on"
            raise InputError(told, f"for example requests_per_second = 5, in {self.path}")
        return number

    def _text(self, table: Mapping[str, Any], name: str, where: str) -> str:
        """What stands there; an error does not repeat it, since it may be a key in the wrong place."""
        value = table.get(name, "")
        if not isinstance(value, str):
            raise InputError(f"{where} is not text", f"put it between quotation marks, in {self.path}")
        return value

    def _of(self, kind: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.file.get("sources", {}).get(kind, {})
        return found


def _checked(key: Key) -> Key:
    """Refuse what no key can be: with such letters it would not reach the source, and might end up in an error."""
    if not (key.value.isascii() and key.value.isprintable()):
        raise InputError(f"the key from {key.origin} has letters that no key has", "copy it again, without line breaks")
    return key


def _read(path: Path) -> Mapping[str, Any] | None:
    """The file, which only its owner may read, since there may be keys in it; None where there is none."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode  # of the file that is read, whatever the name means by now
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise InputError(f"{path} can be read by others, and keys may stand in it", f"chmod 600 {path}")
            told = tomllib.loads(file.read().decode())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check the path and your rights to it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):  # its own words would quote the line, and the key in it
        raise InputError(f"{path} is not TOML", 'for example: [sources.etherscan] and below it key = "..."') from None
    sources = told.get("sources", {})
    if not isinstance(sources, dict) or not all(isinstance(one, dict) for one in sources.values()):
        raise InputError(f"{path}: sources is not a table of tables", "for example: [sources.etherscan]")
    unknown = [name for name in told if name not in KNOWN]
    unknown += [
        f"sources.{kind}.{name}" for kind, one in sources.items() for name in one if name not in KNOWN_OF_SOURCE
    ]
    unknown += [f"sources.{kind}" for kind in sources if kind not in KEY_VARIABLES]
    if unknown:
        known = ", ".join((*KNOWN, *(f"sources.KIND.{name}" for name in KNOWN_OF_SOURCE)))
        raise InputError(f"{path}: nothing is named {unknown[0]!r:.60}", f"known: {known}")
    return told


def _in_keyring(kind: str) -> str:
    """What a keyring holds for the kind; "" where there is none, or none is installed (`fundtrail[keyring]`)."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        return keyring.get_password(SERVICE, kind) or ""
    except KeyringError:
        return ""


__all__ = ["KEY_VARIABLES", "SERVICE", "Key", "Settings"]
