"""A litecoind of the test's own: regtest, on a free port of this machine, ended by its process id."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.http.live import Live
from connectors.http.network import Network
from connectors.http.protocol import Transport
from connectors.settings import Settings
from tracer.values import Chain

REGTEST = Chain.named("litecoin-regtest")
LOGIN = "tester:secret-of-the-test"
COIN = 10**8


class FixedClock:
    """Always the same moment, so that two readings are the same; waiting takes no time."""

    def now(self) -> float:
        return 1_700_000_000.0

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.05))


class LitecoinNode:
    """A running node. What the tests do with it goes by a connection of its own, not through the code under test."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._miner = ""
        self._decoded: dict[str, list[dict[str, Any]]] = {}
        self.live = Live((f"127.0.0.1:{port}",), clock=FixedClock())

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call. Raises `RuntimeError` with the node's words."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        login = base64.b64encode(LOGIN.encode()).decode()
        body = json.dumps({"method": method, "params": params, "id": 0}, default=str)
        connection.request("POST", "/", body, {"authorization": f"Basic {login}"})
        told = json.loads(connection.getresponse().read(), parse_float=Decimal)
        connection.close()
        if told["error"] is not None:
            raise RuntimeError(f"{method}: {told['error']}")
        return told["result"]

    @property
    def miner(self) -> str:
        """The address that blocks are mined to, in the node's own wallet."""
        self._miner = self._miner or self.call("getnewaddress")
        return self._miner

    def mine(self, count: int = 1, to: str = "") -> list[str]:
        """So many blocks, and their hashes."""
        found: list[str] = self.call("generatetoaddress", count, to or self.miner)
        return found

    def address(self, kind: str = "bech32") -> str:
        """A new address of the node's wallet."""
        return str(self.call("getnewaddress", "", kind))

    def spend(self, inputs: list[tuple[str, int]], outputs: list[tuple[str, int]]) -> str:
        """Sign and send a transaction of exactly these inputs and outputs (base units; "data" for OP_RETURN)."""
        told = [
            {"data": "5c0ffee0"} if to == "data" else {to: f"{units // COIN}.{units % COIN:08}"}
            for to, units in outputs
        ]
        raw = self.call("createrawtransaction", [{"txid": tx, "vout": n} for tx, n in inputs], told)
        signed = self.call("signrawtransactionwithwallet", raw)
        assert signed["complete"], signed
        return str(self.call("sendrawtransaction", signed["hex"], 0))

    def decoded(self, first: int = 0) -> list[list[dict[str, Any]]]:
        """The transactions of every block from `first` on, as getblock 2 tells them, with block facts in each."""
        return [
            self._block(self.call("getblockhash", height)) for height in range(first, self.call("getblockcount") + 1)
        ]

    def _block(self, hash: str) -> list[dict[str, Any]]:
        """Asked for once: what has this hash does not change."""
        if hash not in self._decoded:
            block = self.call("getblock", hash, 2)
            facts = {"block_height": block["height"], "block_hash": hash, "block_time": block["time"]}
            self._decoded[hash] = [{**tx, **facts} for tx in block["tx"]]
        return self._decoded[hash]

    def network(self, cache: Path | None = None, transport: Transport | None = None) -> Network:
        """How fundtrail reaches this node: by a door that is closed with it, unless another is given."""
        settings = Settings({"BITCOIN_RPC_LOGIN": LOGIN}, cache=cache)
        return Network(settings, clock=FixedClock(), transport=transport or self.live)


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def litecoin_node(folder: Path, *flags: str) -> Iterator[LitecoinNode]:
    """A node with an empty wallet, while the context lasts."""
    program = shutil.which("litecoind")
    if program is None:
        import pytest

        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("needs litecoind, which is not installed")
    port = free_port()
    user, _, password = LOGIN.partition(":")
    command = [
        str(program), "-regtest", f"-datadir={folder}", "-server", "-listen=0", "-dnsseed=0", "-discover=0",
        "-fallbackfee=0.0001", "-keypool=5", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1",
        f"-rpcport={port}", f"-rpcuser={user}", f"-rpcpassword={password}", *flags,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    node = LitecoinNode(port)
    try:
        _wait(node, process)
        node.call("createwallet", "tests")
        yield node
    finally:
        node.live.close()
        process.terminate()
        process.wait(timeout=60)


INDEXED = ("-txindex=1", "-blockfilterindex=1")


def _wait(node: LitecoinNode, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"litecoind ended with {process.returncode}")
        try:
            node.call("getblockcount")
            return
        except (OSError, RuntimeError, ValueError, http.client.HTTPException):
            time.sleep(0.05)
    raise RuntimeError("litecoind did not answer")
