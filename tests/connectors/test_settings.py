"""Settings: where a key comes from, who may read the file, and that no error or print shows what is in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from connectors.http.network import Network
from connectors.settings import KEY_VARIABLES, Key, Settings
from tracer.errors import InputError

CANARY = "k3yk3yk3yk3y"


@pytest.fixture(autouse=True)
def ring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A keyring that holds what a test puts there, by kind of source."""
    held: dict[str, str] = {}
    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]

    def get_password(service: str, kind: str) -> str | None:
        assert service == "fundtrail"
        if held.get(kind) == "locked":
            raise errors.KeyringError(CANARY)
        return held.get(kind)

    keyring.get_password = get_password  # type: ignore[attr-defined]
    keyring.errors = errors  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return held


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def loaded(folder: Path, text: str, **environ: str) -> Settings:
    return Settings.load({"FUNDTRAIL_CACHE": str(folder / "cache"), **environ}, written(folder, text))


def test_the_environment_wins_over_the_file_and_the_file_over_the_keyring(ring: dict[str, str], tmp_path: Path) -> None:
    ring["etherscan"] = "from-ring"
    file = '[sources.etherscan]\nkey = "from-file"'
    environ = {"ETHERSCAN_API_KEY": "from-environ"}
    keys = [loaded(tmp_path, text, **told).key("etherscan") for text, told in ((file, environ), (file, {}), ("", {}))]
    assert [key.value for key in keys if key] == ["from-environ", "from-file", "from-ring"]
    assert [str(key) for key in keys] == [
        "set, from the environment (ETHERSCAN_API_KEY)",
        f"set, from {tmp_path / 'config.toml'}",
        "set, from the keyring",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KEY_VARIABLES)
def test_each_kind_has_its_own_keys_and_an_empty_one_is_none(kind: str, tmp_path: Path) -> None:
    for name in KEY_VARIABLES[kind]:
        settings = loaded(tmp_path, "", **{name: f" {CANARY}\n"})
        assert [settings.key(other) is not None for other in KEY_VARIABLES] == [
            other == kind for other in KEY_VARIABLES
        ]
        found = settings.key(kind)
        assert found
        assert found.value == CANARY
        assert loaded(tmp_path, "", **{name: "  "}).key(kind) is None


def test_a_locked_keyring_holds_nothing_and_settings_that_were_not_loaded_do_not_look(
    ring: dict[str, str], tmp_path: Path
) -> None:
    ring["etherscan"] = "locked"
    assert loaded(tmp_path, "").key("etherscan") is None
    ring["etherscan"] = CANARY
    assert Settings().key("etherscan") is None


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
@pytest.mark.parametrize("mode", [0o601, 0o604, 0o606, 0o610, 0o640, 0o644, 0o660, 0o664, 0o666, 0o777])
def test_a_file_that_others_may_read_is_refused(mode: int, tmp_path: Path) -> None:
    path = written(tmp_path, f'[sources.etherscan]\nkey = "{CANARY}"', mode)
    with pytest.raises(InputError, match="can be read by others") as caught:
        Settings.load({}, path)
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_only_its_owner_may_read_is_read(mode: int, tmp_path: Path) -> None:
    path = written(tmp_path, 'proxy = "socks5h://127.0.0.1:9050"', mode)
    assert Settings.load({"FUNDTRAIL_CONFIG": str(path)}).proxy == "socks5h://127.0.0.1:9050"
    assert Settings.load({"FUNDTRAIL_PROXY": "http://p"}, path).proxy == "http://p"


ETHERSCAN = "[sources.etherscan]\n"
BROKEN = [
    f'{ETHERSCAN}key = "{CANARY}', f"{ETHERSCAN}key = {CANARY}", CANARY, f"key = '{CANARY}'\nkey = 1",
    f"{ETHERSCAN}key = ['{CANARY}']", f"{ETHERSCAN}requests_per_second = '{CANARY}'",
    f"[sources]\netherscan = '{CANARY}'", f"sources = '{CANARY}'",
    f"{ETHERSCAN}url = ['{CANARY}']", f"proxy = ['{CANARY}']", f"proxy = '{CANARY}'",
    f"proxy = 'socks4://u:{CANARY}@h'", f"kee = '{CANARY}'", f"{ETHERSCAN}kee = '{CANARY}'",
    f"[sources.etherscam]\nkey = '{CANARY}'", f"[sources.etherscan.key]\na = '{CANARY}'",
    f"{ETHERSCAN}key = '''{CANARY}\nx: y'''", f"{ETHERSCAN}key = '{CANARY}é'", f'{ETHERSCAN}key = "{CANARY}\\u0000"',
    *(f"{ETHERSCAN}requests_per_second = {wrong} # {CANARY}" for wrong in ("-1", "true", "1.5", "inf")),
]  # fmt: skip


def used(folder: Path, text: str) -> None:
    """Everything that a source asks of settings."""
    settings = loaded(folder, text)
    settings.key("etherscan")
    settings.url("etherscan")
    settings.requests_per_second("etherscan")
    Network(settings).door("etherscan:1", "etherscan", "https://x.org", lambda _: pytest.fail("asked"))


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_wrong_in_the_file_is_told_without_repeating_it(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        used(tmp_path, text)
    assert CANARY not in f"{caught.value!r} {caught.value} {caught.value.hint}"
    assert caught.value.hint
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"\x00", b"[" * 100_000, b"a." * 5_000 + b"a = 1"])
def test_a_file_that_is_no_text_is_told(raw: bytes, tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(raw)
    with pytest.raises(InputError):
        Settings.load({}, path)


def test_a_mistyped_name_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing is named 'sources.etherscan.kee'") as caught:
        loaded(tmp_path, '[sources.etherscan]\nkee = "x"')
    assert "sources.KIND.key" in caught.value.hint


def test_a_file_that_was_named_must_be_there_and_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        Settings.load({"FUNDTRAIL_CONFIG": str(tmp_path / "none")})
    with pytest.raises(InputError, match="cannot be read"):
        Settings.load({"FUNDTRAIL_CONFIG": str(tmp_path)})


def test_nothing_printed_of_settings_shows_a_key(tmp_path: Path) -> None:
    told: dict[str, Any] = {"ETHERSCAN_API_KEY": CANARY, "FUNDTRAIL_PROXY": f"http://u:{CANARY}@h:1"}
    settings = loaded(tmp_path, f'[sources.blockscout]\nkey = "{CANARY}"', **told)
    for thing in (settings, Network(settings), settings.key("etherscan"), [settings.key("blockscout")]):
        assert CANARY not in f"{thing!r} {thing} {thing:}"
    assert "value" not in repr(Key(CANARY, "the environment"))
