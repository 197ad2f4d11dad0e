"""The one file that knows the Neo4j driver: one writer, retries that cannot duplicate, errors in a user's words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from cases.graph.access import Access
from tracer.errors import CaseConflict, CaseError, InputError

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

PATIENCE = 120.0  # seconds that a server may be away, as when it restarts
CONNECTING = 10.0  # seconds for the first connection: who mistypes an address should not wait long
COLLISIONS = 10  # times in a row that another writer may make, or take out, the same thing at the same moment
VANISHED = "Neo.ClientError.Statement.EntityNotFound"  # another case let go of it while the statement ran
Rows = Sequence[dict[str, Any]]
Step = tuple[str, Rows]  # a statement of ours, and what it is run for
T = TypeVar("T")


class _Gone(CaseConflict):
    """Something that a row names is not in the database."""


class Database:
    """An open connection. Everything sent is a statement of ours with values beside it, never text with text in it."""

    def __init__(self, access: Access, *, patience: float = PATIENCE) -> None:
        """Connect. Raises `InputError` for a password that is not taken, `CaseError` where there is no server."""
        from neo4j import GraphDatabase

        self.access, self.patience = access, patience
        self._driver = GraphDatabase.driver(
            access.uri,
            auth=(access.username, access.password),
            connection_timeout=15.0,
            connection_acquisition_timeout=30.0,
            max_transaction_retry_time=10.0,
            notifications_min_severity="OFF",
            user_agent="fundtrail",
        )
        try:
            self._lasting(self._driver.verify_connectivity, patience=min(patience, CONNECTING))
        except BaseException:
            self._driver.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self._driver.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def write(self, steps: Sequence[Step], **values: Any) -> None:
        """All `steps` in one transaction, each with its rows as `$rows`.

        A step that returns `told` must tell as many as it was given rows: what was not found would else be lost
        without a word. Where it is not known whether the server kept it, all is sent again: the statements are such
        that this changes nothing. So it is where something is gone, as another case may have let go of a place between
        two of the steps.
        """

        def work(tx: ManagedTransaction) -> None:
            for statement, rows in steps:
                if rows:
                    found = tx.run(statement, rows=rows, **values).single()
                    if found is not None and found["told"] != len(rows):
                        raise _Gone(
                            f"the database kept {found['told']} of {len(rows)} rows: something they name is gone",
                            "somebody changed the database meanwhile; push again",
                        )

        def once() -> None:
            with self._driver.session(database=self.access.database or None) as session:
                session.execute_write(work)

        for left in reversed(range(COLLISIONS)):
            try:
                return self._lasting(once)
            except _Gone:
                if not left:
                    raise

    def read(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """All rows that a statement gives, in one round trip."""

        def once() -> list[dict[str, Any]]:
            # Without a transaction of its own, which would take one round trip more; `_lasting` tries again as well.
            with self._driver.session(
                database=self.access.database or None, default_access_mode="READ", fetch_size=-1
            ) as session:
                return [record.data() for record in session.run(statement, values)]

        return self._lasting(once)

    def change(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Run one statement that changes something, in a transaction of its own; its rows."""

        def work(tx: ManagedTransaction) -> list[dict[str, Any]]:
            return [record.data() for record in tx.run(statement, values)]

        def once() -> list[dict[str, Any]]:
            with self._driver.session(database=self.access.database or None) as session:
                return session.execute_write(work)

        return self._lasting(once)

    def _lasting(self, once: Callable[[], T], patience: float | None = None) -> T:
        """`once`, again while the server is away, restarts, or lets another writer go first."""
        from neo4j import exceptions

        late, wait, collided = time.monotonic() + (self.patience if patience is None else patience), 0.05, 0
        where = self.access.uri
        while True:
            try:
                return once()
            except exceptions.AuthError as error:
                raise self._refused(error) from None
            except exceptions.ConfigurationError as error:
                raise InputError(f"{where} cannot be used: {error!s:.200}", "check NEO4J_URI") from None
            except exceptions.ConstraintError as error:
                collided += 1
                if collided > COLLISIONS:
                    raise CaseConflict(
                        f"{where} refuses a row that is there already: {error.code}", "is another push going on?"
                    ) from None
            except (exceptions.DriverError, exceptions.TransientError, exceptions.DatabaseError, OSError) as error:
                if not _passes(error) or time.monotonic() > late:
                    told = getattr(error, "code", None) or type(error).__name__
                    raise CaseError(
                        f"the Neo4j server at {where} does not answer, or not as it should: {told}",
                        "check that it runs and is the one meant; what was sent is kept, the same command goes on",
                    ) from None
            except exceptions.ClientError as error:
                if error.code != VANISHED or time.monotonic() > late:
                    told = f"{where} refuses: {error.code}: {error.message!s:.300}"
                    raise CaseError(told, "see docs/neo4j.md") from None
            time.sleep(wait)
            wait = min(wait * 2, 3.0)

    def _refused(self, error: Exception) -> InputError:
        return InputError(
            f"{self.access.uri} does not take the name and password: {getattr(error, 'code', '')}",
            "check NEO4J_USERNAME and NEO4J_PASSWORD; a new server wants its first password changed",
        )


def _passes(error: Exception) -> bool:
    """Whether trying again may help. An unknown outcome counts: sending the same again changes nothing."""
    from neo4j import exceptions

    away = exceptions.ServiceUnavailable, exceptions.SessionExpired, exceptions.TransientError, OSError
    lasting = exceptions.DatabaseUnavailable, exceptions.ConnectionPoolError
    return isinstance(error, (*away, *lasting)) or bool(getattr(error, "is_retryable", bool)())
