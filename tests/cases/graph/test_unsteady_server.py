"""Whatever happens between us and the server, the graph ends as the embedded one, every payment exactly once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cases.graph import neo4j_store, schema
from cases.graph.access import Access
from cases.graph.contract import coins, dump, fill, paid, who
from cases.graph.neo4j_session import Database
from cases.graph.neo4j_store import Neo4jGraph
from cases.graph.nouns import Payment, Place
from cases.graph.sqlite_store import SqliteGraph
from cutting_proxy import cutting
from neo4j_server import PASSWORD, Server
from tracer.errors import CaseError, InputError
from tracer.values import MAX_UNITS, Transfer

pytestmark = pytest.mark.slow
NAMES = [f"w{n}" for n in range(12)]  # few, so that writers meet


def drawn(count: int, seed: int) -> list[Transfer]:
    """Payments among a few, some of them of coins."""
    chance = random.Random(seed)
    found = []
    for n in range(count):
        one, two = chance.sample(NAMES, 2)
        if n % 5:
            found.append(paid(n, who(one), who(two), chance.randint(0, MAX_UNITS)))
        else:
            found.append(coins(n, [(n, 7, one, 9), (n, 8, two, 4)], [(two, 8), (None, 3)], 2))
    return found


def embedded(facts: list[Transfer]) -> dict[str, list[str]]:
    """What the embedded store says of them."""
    graph = SqliteGraph()
    graph.write_transfers(facts)
    told = dump(graph)
    graph.close()
    return told


def relationships(database: Database, case: str) -> dict[str, int]:
    """How many there are of each type: a double would not show in a set."""
    rows = database.read(
        "MATCH ()-[r:SENT|INPUT_OF|OUTPUT_TO]->() WHERE r.case = $case RETURN type(r) AS t, count(r) AS n", case=case
    )
    return {row["t"]: row["n"] for row in rows}


def test_200_cuts_between_commit_and_answer_lose_nothing_and_double_nothing(
    access: Access, database: Database, case_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neo4j_store, "BATCH", 4)
    facts = drawn(804, seed=1)
    parts = urlsplit(access.uri)
    with cutting(parts.hostname or "", parts.port or 7687, cuts=200) as proxy:
        with Database(replace(access, uri=proxy.uri)) as shaky:
            Neo4jGraph(shaky, case_name).write_transfers(facts)
        assert proxy.cut == 200
        assert proxy.commits >= 400, "what was cut off was sent again"
    assert dump(Neo4jGraph(database, case_name)) == embedded(facts)
    simple = sum(len(one.inputs) == 1 for one in facts)
    others = len(facts) - simple
    assert relationships(database, case_name) == {"SENT": simple, "INPUT_OF": 2 * others, "OUTPUT_TO": 3 * others}


def test_eight_writers_that_meet_and_eight_readers_end_with_one_graph(
    access: Access, database: Database, case_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neo4j_store, "BATCH", 25)
    facts, errors, done = drawn(300, seed=2), list[BaseException](), threading.Event()
    Neo4jGraph(database, case_name).write_addresses([who(NAMES[0])])
    whole = {one.transfer: one for one in payments_of(facts)}

    def write(seed: int) -> None:
        mine = list(facts)
        random.Random(seed).shuffle(mine)
        try:
            with Database(access) as own:
                Neo4jGraph(own, case_name).write_transfers(mine)
        except BaseException as error:  # noqa: BLE001  an error in a thread; it is asserted on below
            errors.append(error)

    def read() -> None:
        try:
            graph = Neo4jGraph(database, case_name)
            while not done.is_set():
                for one in graph.payments([Place.of(who(name)) for name in NAMES[:3]], out=True):
                    assert one.transfer in whole, "a reader sees what nobody wrote"
        except BaseException as error:  # noqa: BLE001  an error in a thread; it is asserted on below
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(8)]
    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(8)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(240)
    done.set()
    for thread in readers:
        thread.join(60)
    assert not errors, errors
    assert dump(Neo4jGraph(database, case_name)) == embedded(facts)
    simple = sum(len(one.inputs) == 1 for one in facts)
    assert relationships(database, case_name)["SENT"] == simple


def payments_of(facts: list[Transfer]) -> list[Payment]:
    """Every payment in them, by the embedded store."""
    graph = SqliteGraph()
    graph.write_transfers(facts)
    found = graph.payments([Place.of(who(name)) for name in NAMES[:3]], out=True)
    graph.close()
    return found


def test_a_deadlock_is_tried_again(access: Access, database: Database, case_name: str) -> None:
    graph = Neo4jGraph(database, case_name)
    graph.write_addresses([who("a"), who("b")])
    keys, met, errors = [Place.of(who(name)).key for name in "ab"], threading.Barrier(2, timeout=30), []
    attempts = []

    def both(order: list[str]) -> None:
        """Lock the one, wait until the other writer has locked the other, then ask for that: one of us must yield."""
        from neo4j import GraphDatabase

        def work(tx: object) -> None:
            attempts.append(order[0])
            tx.run("MATCH (p:Place {key: $key}) SET p.seen = 1", key=order[0]).consume()  # type: ignore[attr-defined]
            if len(attempts) <= 2:
                met.wait()
            tx.run("MATCH (p:Place {key: $key}) SET p.seen = 1", key=order[1]).consume()  # type: ignore[attr-defined]

        def once() -> None:
            with (
                GraphDatabase.driver(
                    access.uri, auth=(access.username, access.password), max_transaction_retry_time=0
                ) as driver,
                driver.session() as session,
                session.begin_transaction() as tx,
            ):
                work(tx)
                tx.commit()

        try:
            database._lasting(once)
        except BaseException as error:  # noqa: BLE001  an error in a thread; it is asserted on below
            errors.append(error)

    threads = [threading.Thread(target=both, args=(order,)) for order in (keys, keys[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not errors, errors
    assert len(attempts) > 2, "nobody was turned away"


def test_a_server_killed_in_the_middle_and_started_again_loses_nothing(
    tmp_path: Path, case_name: str, monkeypatch: pytest.MonkeyPatch, server: Server | None
) -> None:
    if server is None:
        pytest.skip("the server that NEO4J_TEST_URI names is not ours to kill")
    monkeypatch.setattr(neo4j_store, "BATCH", 10)
    facts = drawn(600, seed=3)
    halfway = threading.Event()

    def given() -> Iterator[Transfer]:
        for n, one in enumerate(facts):
            if n == len(facts) // 2:
                halfway.set()
            yield one

    def kill() -> None:
        halfway.wait(120)
        server.kill()
        time.sleep(1)
        server.start()

    killer = threading.Thread(target=kill)
    killer.start()
    with Database(Access(server.uri, "neo4j", PASSWORD)) as own:
        graph = Neo4jGraph(own, case_name)
        graph.write_transfers(given())
        killer.join(120)
        assert dump(graph) == embedded(facts)


def test_no_server_is_told_in_words_and_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(CaseError) as told:
        Database(Access("bolt://127.0.0.1:9", "neo4j", "canary-77"), patience=0.2)
    assert "canary-77" not in f"{told.value} {told.value.hint} {told.value.__cause__}"


def test_a_wrong_password_is_told_in_words_and_not_shown(access: Access) -> None:
    with pytest.raises(InputError) as told:
        Database(replace(access, password="canary-78"))
    assert "canary-78" not in f"{told.value} {told.value.hint} {told.value.__cause__}"


def test_a_new_server_with_its_first_password_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="anybody tries first"):
        Access.of({"NEO4J_URI": "bolt://127.0.0.1", "NEO4J_PASSWORD": "neo4j"}, keyring=False)


def test_the_whole_case_twice_over_is_the_case_once(database: Database, case_name: str) -> None:
    graph = Neo4jGraph(database, case_name)
    fill(graph)
    fill(Neo4jGraph(database, case_name))  # another run, which remembers nothing
    one = SqliteGraph()
    fill(one)
    assert dump(graph) == dump(one)
    one.close()


def test_a_case_that_loses_its_places_leaves_them_to_another_that_is_written_at_the_same_moment(
    access: Access, database: Database, case_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neo4j_store, "BATCH", 4)
    schema.create(database)
    names = [f"{case_name}{n}" for n in range(8)]  # which no other test has, so they go whenever neither case has them
    facts = [paid(n, who(names[n % 8]), who(names[(n + 1) % 8]), n) for n in range(24)]
    errors, loops = list[BaseException](), 8

    def come_and_go(case: str) -> None:
        try:
            with Database(access) as own:
                for _ in range(loops):
                    graph = Neo4jGraph(own, case)
                    graph.write_transfers(facts)
                    assert dump(graph) == whole
                    graph.delete_transfers(one.id for one in facts)
                    graph.delete_unnamed_places()
                    assert not any(dump(graph).values())
        except BaseException as error:  # noqa: BLE001  an error in a thread; it is asserted on below
            errors.append(error)

    whole = embedded(facts)
    threads = [threading.Thread(target=come_and_go, args=(f"{case_name}-{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    assert not errors, errors
    key = Place.of(who(names[0])).key
    assert not database.read("MATCH (p:Place {key: $key}) RETURN p.key AS key", key=key)
