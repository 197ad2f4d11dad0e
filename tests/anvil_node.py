"""A real EVM node for tests: anvil, started on loopback on a free port and ended by its id, and our contracts on it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conftest import IN_CI
from connectors.http.live import Live
from connectors.http.network import Network
from connectors.http.protocol import Request, Response, Transport
from tracer.values import Address, Chain

ETHEREUM = Chain.named("ethereum")
ETH = ETHEREUM.coin
CONTRACTS = Path(__file__).parent / "contracts"
START = 1_700_000_000  # the time of block 0; a block is 12 seconds later than the one before


def program() -> str:
    """Where anvil is. Skips the test where it is not; a failure in CI."""
    folder = os.environ.get("FUNDTRAIL_COMPONENTS") or Path.home() / ".cache" / "fundtrail-components"
    path = Path(folder) / "anvil" / "package" / "bin" / "anvil"
    if not path.is_file():
        reason = "needs anvil, which is not among the components: see CONTRIBUTING.md"
        if IN_CI:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return str(path)


@contextmanager
def anvil(*more: str, chain_id: int = 1) -> Iterator[Anvil]:
    """A node with ten rich accounts, which mines a block per transaction unless it is told otherwise."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program(), "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id), "--silent"]
    child = subprocess.Popen([*command, "--timestamp", str(START), *more], stdout=subprocess.DEVNULL)
    node = Anvil(f"http://127.0.0.1:{port}")
    try:
        node.wait(child)
        yield node
    finally:
        node.door.close()
        child.terminate()
        child.wait(10)


class Stopped:
    """A clock that stands still until somebody sleeps."""

    def __init__(self, at: int = START) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class _At:
    """Has all answers come at one moment."""

    def __init__(self, inner: Transport, at: int) -> None:
        self._inner, self._at = inner, at

    def send(self, request: Request) -> Response:
        return replace(self._inner.send(request), at=self._at)


@dataclass
class Anvil:
    """Sends what a test wants sent. None of the code under test is in it."""

    url: str
    accounts: list[str] = field(default_factory=list)
    when: int = START

    def __post_init__(self) -> None:
        self.door = Live((self.url.removeprefix("http://"),))

    def network(self, at: int = 0, **settings: Any) -> Network:
        """The network as a connector needs it; with `at`, on a clock that stands still."""
        if at:
            settings["clock"] = Stopped(at)
        return Network(transport=_At(self.door, at) if at else self.door, **settings)

    def wait(self, child: subprocess.Popen[bytes]) -> None:
        """Until it answers."""
        for _ in range(400):
            try:
                self.accounts = [one.lower() for one in self.ask("eth_accounts")]
                return
            except (urllib.error.URLError, ConnectionError):
                if child.poll() is not None:
                    raise RuntimeError(f"anvil ended with {child.returncode}") from None
                time.sleep(0.05)
        raise RuntimeError("anvil did not answer in 20 seconds")

    def ask(self, method: str, *params: Any) -> Any:
        """The result of one call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})  # noqa: S310  the node on loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  our own node on loopback
            told = json.load(answer)
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']}")
        return told["result"]

    def send(
        self, payer: str, to: str | None, value: int = 0, data: str = "0x", gas: int = 0, mined: bool = True
    ) -> str:  # fmt: skip
        """Send a transaction, in a block of its own unless `mined` is False; the hash. With `gas` it may fail."""
        row: dict[str, Any] = {"from": payer, "value": hex(value), "data": data}
        if to is not None:
            row["to"] = to
        if gas:
            row["gas"] = hex(gas)
        if mined:
            self.when += 12
            self.ask("evm_setNextBlockTimestamp", self.when)
        hash: str = self.ask("eth_sendTransaction", row)
        if mined:
            self.receipt(hash)
        return hash

    def receipt(self, tx: str) -> dict[str, Any]:
        """The receipt of a transaction, once there is one."""
        for _ in range(400):
            found: dict[str, Any] | None = self.ask("eth_getTransactionReceipt", tx)
            if found is not None:
                return found
            time.sleep(0.01)
        raise RuntimeError(f"{tx} was not mined in four seconds")

    def fee(self, tx: str) -> int:
        """What its sender paid for it."""
        receipt = self.receipt(tx)
        return int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)

    def deploy(self, name: str, *arguments: Any, payer: str | None = None, value: int = 0) -> Contract:
        """Put one of our contracts on the chain."""
        compiled = contracts()[name]
        made: dict[str, Any] = next((one for one in compiled["abi"] if one["type"] == "constructor"), {"inputs": []})
        data = compiled["bytecode"] + _encoded(made["inputs"], arguments)
        tx = self.send(payer or self.accounts[0], None, value, data)
        return Contract(self, self.receipt(tx)["contractAddress"].lower(), name)

    def rich(self, who: str, units: int) -> None:
        """Give `who` so many wei out of nothing, and let it send."""
        self.ask("anvil_setBalance", who, hex(units))
        self.ask("anvil_impersonateAccount", who)

    def balance(self, who: str) -> int:
        """What `who` has now, in wei."""
        return int(self.ask("eth_getBalance", who, "latest"), 16)


@dataclass(frozen=True)
class Contract:
    """One of our contracts at its address."""

    node: Anvil
    address: str
    name: str

    def data(self, function: str, *arguments: Any) -> str:
        """The input that calls `function`."""
        found = next(one for one in contracts()[self.name]["abi"] if one.get("name") == function)
        signature = f"{function}({','.join(one['type'] for one in found['inputs'])})"
        return "0x" + keccak(signature.encode())[:4].hex() + _encoded(found["inputs"], arguments)

    def send(self, payer: str, function: str, *arguments: Any, value: int = 0, gas: int = 0) -> str:
        """Call it in a transaction; the hash."""
        return self.node.send(payer, self.address, value, self.data(function, *arguments), gas)

    def number(self, function: str, *arguments: Any) -> int:
        """The number that it answers."""
        row = {"to": self.address, "data": self.data(function, *arguments)}
        return int(self.node.ask("eth_call", row, "latest"), 16)


def on(text: str, chain: Chain = ETHEREUM) -> Address:
    """The address, on `chain`."""
    return Address(chain, text.lower())


def somebody(number: int) -> str:
    """An address that nobody has used."""
    return f"0x{0xA11CE << 100 | number:040x}"


@cache
def contracts() -> dict[str, Any]:
    """ABI and bytecode of tests/contracts/*.sol, by name: what solc 0.8 makes of them (optimised, for Shanghai)."""
    found: dict[str, Any] = json.loads((CONTRACTS / "compiled.json").read_text())["contracts"]
    return found


def keccak(data: bytes) -> bytes:
    """Keccak-256."""
    from Crypto.Hash import keccak as hashing

    return hashing.new(digest_bits=256, data=data).digest()


def _encoded(inputs: Sequence[dict[str, Any]], arguments: Sequence[Any]) -> str:
    from eth_abi.abi import encode

    return str(encode([one["type"] for one in inputs], arguments).hex())
