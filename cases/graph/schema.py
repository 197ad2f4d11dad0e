"""The schema of the graph in Neo4j: what must be unique and what is looked up, made and then checked.

Uniqueness is what makes a push that is sent twice harmless, so nothing is written before it is seen to be there.
Community edition has constraints of this kind only; that a property is there, and what it is, our own code sees to.
"""

from __future__ import annotations

from cases.graph.neo4j_session import Database
from tracer.errors import CaseError

CONSTRAINTS = {
    "place_key": "CREATE CONSTRAINT place_key IF NOT EXISTS FOR (n:Place) REQUIRE n.key IS UNIQUE",
    "transaction_id": "CREATE CONSTRAINT transaction_id IF NOT EXISTS FOR (n:Transaction) REQUIRE n.id IS UNIQUE",
    "case_name": "CREATE CONSTRAINT case_name IF NOT EXISTS FOR (n:Case) REQUIRE n.name IS UNIQUE",
    "mark_id": "CREATE CONSTRAINT mark_id IF NOT EXISTS FOR (n:Mark) REQUIRE n.id IS UNIQUE",
    "archive_id": "CREATE CONSTRAINT archive_id IF NOT EXISTS FOR (n:Archive) REQUIRE n.id IS UNIQUE",
    "claim_id": "CREATE CONSTRAINT claim_id IF NOT EXISTS FOR (n:Claim) REQUIRE n.id IS UNIQUE",
    "loss_id": "CREATE CONSTRAINT loss_id IF NOT EXISTS FOR (n:Loss) REQUIRE n.id IS UNIQUE",
    "trace_id": "CREATE CONSTRAINT trace_id IF NOT EXISTS FOR (n:Trace) REQUIRE n.id IS UNIQUE",
    "end_id": "CREATE CONSTRAINT end_id IF NOT EXISTS FOR (n:End) REQUIRE n.id IS UNIQUE",
    "cluster_id": "CREATE CONSTRAINT cluster_id IF NOT EXISTS FOR (n:Cluster) REQUIRE n.id IS UNIQUE",
    "includes_id": "CREATE CONSTRAINT includes_id IF NOT EXISTS FOR ()-[r:INCLUDES]-() REQUIRE r.id IS UNIQUE",
    "sent_id": "CREATE CONSTRAINT sent_id IF NOT EXISTS FOR ()-[r:SENT]-() REQUIRE r.id IS UNIQUE",
    "input_of_id": "CREATE CONSTRAINT input_of_id IF NOT EXISTS FOR ()-[r:INPUT_OF]-() REQUIRE r.id IS UNIQUE",
    "output_to_id": "CREATE CONSTRAINT output_to_id IF NOT EXISTS FOR ()-[r:OUTPUT_TO]-() REQUIRE r.id IS UNIQUE",
    "traced_to_id": "CREATE CONSTRAINT traced_to_id IF NOT EXISTS FOR ()-[r:TRACED_TO]-() REQUIRE r.id IS UNIQUE",
    "same_owner_id": "CREATE CONSTRAINT same_owner_id IF NOT EXISTS FOR ()-[r:SAME_OWNER]-() REQUIRE r.id IS UNIQUE",
    "says_of_id": "CREATE CONSTRAINT says_of_id IF NOT EXISTS FOR ()-[r:SAYS_OF]-() REQUIRE r.id IS UNIQUE",
    "in_cluster_id": "CREATE CONSTRAINT in_cluster_id IF NOT EXISTS FOR ()-[r:IN_CLUSTER]-() REQUIRE r.id IS UNIQUE",
    "ends_at_id": "CREATE CONSTRAINT ends_at_id IF NOT EXISTS FOR ()-[r:ENDS_AT]-() REQUIRE r.id IS UNIQUE",
    "rests_with_id": "CREATE CONSTRAINT rests_with_id IF NOT EXISTS FOR ()-[r:RESTS_WITH]-() REQUIRE r.id IS UNIQUE",
    "lost_to_id": "CREATE CONSTRAINT lost_to_id IF NOT EXISTS FOR ()-[r:LOST_TO]-() REQUIRE r.id IS UNIQUE",
}
INDEXES = {
    "sent_order": "CREATE INDEX sent_order IF NOT EXISTS FOR ()-[r:SENT]-() ON (r.case, r.order)",
    "transaction_order": "CREATE INDEX transaction_order IF NOT EXISTS FOR (n:Transaction) ON (n.case, n.order)",
    "traced_to_trace": "CREATE INDEX traced_to_trace IF NOT EXISTS FOR ()-[r:TRACED_TO]-() ON (r.case, r.trace)",
    "same_owner_case": "CREATE INDEX same_owner_case IF NOT EXISTS FOR ()-[r:SAME_OWNER]-() ON (r.case)",
    "claim_case": "CREATE INDEX claim_case IF NOT EXISTS FOR (n:Claim) ON (n.case)",
    "loss_case": "CREATE INDEX loss_case IF NOT EXISTS FOR (n:Loss) ON (n.case)",
    "trace_case": "CREATE INDEX trace_case IF NOT EXISTS FOR (n:Trace) ON (n.case)",
    "end_trace": "CREATE INDEX end_trace IF NOT EXISTS FOR (n:End) ON (n.case, n.trace)",
    "cluster_case": "CREATE INDEX cluster_case IF NOT EXISTS FOR (n:Cluster) ON (n.case)",
    "archive_case": "CREATE INDEX archive_case IF NOT EXISTS FOR (n:Archive) ON (n.case)",
}


def create(database: Database) -> None:
    """Make what is missing, wait until the indexes are filled, and check. Raises `CaseError`."""
    if not missing(database):
        return
    for statement in (*CONSTRAINTS.values(), *INDEXES.values()):
        database.change(statement)
    database.read("CALL db.awaitIndexes(300)")
    if lacking := missing(database):
        raise CaseError(
            f"the database does not have what keeps rows unique: {', '.join(lacking)}",
            "give the user the right to make constraints and indexes, or have them made: see docs/neo4j.md",
        )


def missing(database: Database) -> list[str]:
    """The constraints and indexes that are not there, or not ready."""
    there = {row["name"] for row in database.read("SHOW CONSTRAINTS YIELD name RETURN name")}
    ready = {row["name"] for row in database.read("SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name")}
    return sorted((CONSTRAINTS.keys() - (there & ready)) | (INDEXES.keys() - ready))
