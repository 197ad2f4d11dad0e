"""A real Neo4j Community server on loopback for the tests, started from its jars and ended by its own process id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VERSION = "5.26.20"
PASSWORD = "only-for-these-tests-7F2"
PATIENCE = 120.0
OPENS = [
    "java.base/java.nio=ALL-UNNAMED",
    "java.base/java.io=ALL-UNNAMED",
    "java.base/sun.nio.ch=ALL-UNNAMED",
    "java.base/java.util.concurrent=ALL-UNNAMED",
]


def components() -> Path:
    """The folder that components for tests are fetched into."""
    named = os.environ.get("FUNDTRAIL_COMPONENTS")
    return Path(named) if named else Path.home() / ".cache" / "fundtrail-components"


def jars() -> Path | None:
    """The folder of the server's jars, None where they were not fetched or there is no Java."""
    found = components() / f"neo4j-{VERSION}" / "lib"
    return found if shutil.which("java") and any(found.glob("neo4j-server-*.jar")) else None


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Server:
    """One server with its own home. `restart` keeps port and data; `kill` is `kill -9`."""

    def __init__(self, home: Path, lib: Path) -> None:
        self.home, self.lib, self.port = home, lib, free_port()
        self._java: subprocess.Popen[bytes] | None = None
        for name in ("conf", "data", "logs", "run", "plugins", "import"):
            (home / name).mkdir(parents=True, exist_ok=True)
        (home / "conf" / "neo4j.conf").write_text(
            "server.default_listen_address=127.0.0.1\n"
            f"server.bolt.listen_address=127.0.0.1:{self.port}\n"
            f"server.bolt.advertised_address=127.0.0.1:{self.port}\n"
            "server.http.enabled=false\nserver.https.enabled=false\n"
            "dbms.security.auth_enabled=true\ndbms.usage_report.enabled=false\n"
            "server.memory.pagecache.size=128m\ndb.tx_log.rotation.retention_policy=keep_none\n"
        )
        self.admin("dbms", "set-initial-password", PASSWORD)

    @property
    def uri(self) -> str:
        return f"bolt://127.0.0.1:{self.port}"

    def admin(self, *words: str) -> str:
        """Run `neo4j-admin` with these words; its output."""
        done = subprocess.run(
            ["java", "-Xmx512m", "-cp", f"{self.lib}/*", "org.neo4j.server.startup.Neo4jAdminCommand", *words],
            env={**os.environ, "NEO4J_HOME": str(self.home)},
            cwd=self.home,  # it leaves a report where it runs
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"neo4j-admin {' '.join(words)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, *, wait: bool = True) -> None:
        opens = [f"--add-opens={one}" for one in OPENS]
        with (self.home / "logs" / "console").open("ab") as console:
            self._java = subprocess.Popen(
                ["java", "-Xms128m", "-Xmx1g", *opens, "--enable-native-access=ALL-UNNAMED", "-cp", f"{self.lib}/*",
                 "org.neo4j.server.CommunityEntryPoint", f"--home-dir={self.home}",
                 f"--config-dir={self.home / 'conf'}", "--console-mode"],
                stdout=console, stderr=console, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        if wait:
            self.await_ready()

    def await_ready(self) -> None:
        """Return once it answers a query."""
        from neo4j import GraphDatabase
        from neo4j.exceptions import DriverError, Neo4jError

        late = time.monotonic() + PATIENCE
        while True:
            try:
                with GraphDatabase.driver(self.uri, auth=("neo4j", PASSWORD)) as driver:
                    driver.verify_connectivity()
                return
            except (DriverError, Neo4jError, OSError):
                ended = self._java is None or self._java.poll() is not None
                if ended or time.monotonic() > late:
                    told = (self.home / "logs" / "console").read_text(errors="replace")
                    raise AssertionError(f"the server did not start:\n{told[-4000:]}") from None
                time.sleep(0.3)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._java is not None:
            self._java.send_signal(how)
            try:
                self._java.wait(60)
            except subprocess.TimeoutExpired:
                self._java.kill()
                self._java.wait(60)
            self._java = None


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A server for as long as the block lasts; where there are no jars, a skip, or in CI a failure."""
    lib = jars()
    if lib is None:
        reason = f"needs Java 17 and the jars of Neo4j {VERSION} in {components().name}, or NEO4J_TEST_URI"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    server = Server(home, lib)
    try:
        server.start()
        yield server
    finally:
        server.kill()
