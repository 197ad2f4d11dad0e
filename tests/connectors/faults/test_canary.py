"""A canary for a key: planted wherever one can come from, under all faults, and looked for in all that is left."""

from __future__ import annotations

import base64
import io
import logging
import random
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import quote, quote_plus, urlsplit

import pytest

from cases.asking import ask
from cases.case_file import Case
from connectors.http.live import Limits
from connectors.http.network import Network
from connectors.http.protocol import Transport
from connectors.http.recording import Replay
from connectors.http.retrying import Patience
from connectors.settings import KEY_VARIABLES, Settings
from connectors.sources import LIVE, open_source
from esplora_provider import URL as ESPLORA
from loopback import Asked, ResetNow, reply
from misbehaving import served
from random_histories import World, blockscout, esplora, etherscan, trongrid
from tracer.addresses import parse
from tracer.errors import FundtrailError
from tracer.values import Address, Chain
from virtual_clock import VirtualClock

CANARY = "k3y/+Canary=9Zq.7"
LOGIN = f"user:{CANARY}"
SEEDS = range(1, 7)

#: Who answers behind the kinds of source that have a fake, and where its requests are rooted.
BEHIND: dict[str, tuple[Callable[[int], World], str]] = {
    "etherscan": (etherscan, "https://api.etherscan.io/v2/api"),
    "trongrid": (trongrid, "https://api.trongrid.io"),
    "esplora": (esplora, ESPLORA),
    "blockscout": (blockscout, "https://explorer.test"),
}
PATHS = {"rpc": "/v3/{key}", "esplora": urlsplit(ESPLORA).path}
ADDRESSES = {
    "rpc": parse("0x" + "a" * 40, Chain.named("ethereum")),
    "core": parse("1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3", Chain.named("bitcoin")),
}


def spellings(secret: str) -> set[bytes]:
    """The secret as it may stand somewhere: plain, percent-encoded, in base64 wherever in a longer text it began."""
    plain = secret.encode()
    coded = {base64.b64encode(b"x" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)}
    coded |= {base64.urlsafe_b64encode(b"x" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)}
    return {plain, quote(secret, safe="").encode(), quote_plus(secret).encode(), quote(secret).encode(), *coded}


def found_in(told: bytes) -> list[bytes]:
    """Which spellings of the canary, or of more than half of it, are there."""
    half = CANARY[: len(CANARY) * 2 // 3]
    return [one for one in spellings(CANARY) | {half.encode(), quote(half, safe="").encode()} if one in told]


def secrets_in(asked: Asked) -> list[str]:
    """What of a request a provider might repeat."""
    seen = [
        value for name, value in asked.headers.items() if name in ("authorization", "tron-pro-api-key", "x-api-key")
    ]
    return [*seen, CANARY, quote(CANARY, safe=""), LOGIN, base64.b64encode(LOGIN.encode()).decode(), asked.target]


def spoiling(chance: random.Random) -> Callable[[Asked], Iterator[bytes] | None]:
    """Answers that repeat what they were asked with: every third."""

    def answers(asked: Asked) -> Iterator[bytes]:
        echo = " | ".join(secrets_in(asked)).encode()
        how = chance.randrange(12)
        if how == 0:
            raise ResetNow
        if how == 1:  # cut in the middle of a key
            yield b"HTTP/1.1 200 X\r\ncontent-length: 99999\r\n\r\n" + b'{"error": "' + CANARY[:12].encode()
            return
        statuses = [200, 200, 200, 301, 400, 401, 403, 404, 429, 500, 503]
        status = statuses[how - 1]
        body = chance.choice([
            b'{"status":"0","message":"NOTOK","result":"' + echo + b'"}', b"<html>" + echo + b"</html>", echo,
            b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "' + echo + b'"}}',
            b'["' + echo + b'", NaN]',
            b'{"success": false, "Error": "' + echo + b'"}', b'{"a": "' + echo,
        ])  # fmt: skip
        yield reply(
            body, status, content_type="text/html; " + CANARY, date=CANARY, location="/?" + CANARY, retry_after="1"
        )

    return lambda asked: answers(asked) if chance.random() < 0.34 else None


class Nobody:
    """Answers nothing in particular, for kinds of source that have no fake."""

    def send(self, request: object) -> object:
        from connectors.http.protocol import Response

        return Response(200, b'{"jsonrpc": "2.0", "id": 1, "result": "0x1"}')


def planted(where: str, kind: str, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with the canary in one place, and the server as the address that the key belongs to."""
    key = LOGIN if kind == "core" else CANARY
    file = f'[sources.{kind}]\nurl = "{url}"\n' + (f'key = "{key}"\n' if where == "file" else "")
    path = folder / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(file)
    path.chmod(0o600)
    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]
    keyring.get_password = lambda _, of: key if where == "keyring" and of == kind else None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    environ = {"FUNDTRAIL_CACHE": str(folder / "cache")} | (
        {KEY_VARIABLES[kind][0]: key} if where == "environment" else {}
    )
    return Settings.load(environ, path)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["environment", "file", "keyring"])
@pytest.mark.parametrize("kind", LIVE)
def test_a_key_is_found_nowhere_in_what_is_left_behind(
    kind: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log, errors, arrived = io.StringIO(), list[str](), 0
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    try:
        for seed in SEEDS:
            folder = tmp_path / str(seed)
            folder.mkdir()
            arrived += one_run(kind, where, seed, folder, monkeypatch, errors)
    finally:
        logging.getLogger().removeHandler(handler)
    assert arrived, "the key was never sent: nothing was tested"
    out = capfd.readouterr()
    places = {"log": log.getvalue(), "errors": "\n".join(errors), "output": out.out + out.err}
    for name, told in places.items():
        assert not found_in(told.encode()), name
    files = [file for file in tmp_path.rglob("*") if file.is_file() and file.name != "config.toml"]
    assert {file.suffix for file in files} >= {".fundtrail", ".jsonl"}
    for file in files:
        assert not found_in(file.read_bytes() + file.name.encode()), file
    for file in tmp_path.rglob("answers.jsonl"):
        Replay(file)


def one_run(
    kind: str, where: str, seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch, errors: list[str]
) -> int:  # fmt: skip
    """One source asked into one case, with all that went wrong told in `errors`; how often the key arrived."""
    world = BEHIND[kind][0](seed) if kind in BEHIND else None
    provider: Transport = world.provider if world else Nobody()  # type: ignore[assignment]
    base = BEHIND[kind][1] if world else "http://nobody.test"
    with served(provider, base.removesuffix(PATHS.get(kind, "")), spoiling(random.Random(seed))) as server:
        url = server.url + PATHS.get(kind, "")
        settings = planted(where, kind, url, folder, monkeypatch)
        network = Network(
            settings, record=folder / "answers.jsonl", clock=VirtualClock(), patience=Patience(attempts=3, failures=9),
            limits=Limits(bytes=1_000_000, connect=2, read=0.5, whole=2),
        )  # fmt: skip
        with Case.create(folder / "case.fundtrail", at=1, tool="0") as case:
            try:
                source = open_source(f"{kind}:{url}", network, world.chain if world else None)
                errors.append(repr(source) + source.name)
                address: Address = world.address if world else ADDRESSES[kind]
                for page in ask(case, source, address, lambda: 1):
                    errors.append(f"{page.cursor} {page.problems} {page.coverage}")
            except FundtrailError as error:
                errors += [*traceback.format_exception(error), repr(vars(error)), error.hint, repr(error.__context__)]
            assert case.verify() == []
        return len([key for key in spellings(CANARY) | {base64.b64encode(LOGIN.encode())} if key in server.raw])


def test_the_canary_is_seen_where_it_is() -> None:
    for told in (CANARY, f"x{quote(CANARY, safe='')}y", base64.b64encode(f"user:{CANARY} and more".encode()).decode()):
        assert found_in(told.encode()), told
    assert not found_in(b"nothing here")
