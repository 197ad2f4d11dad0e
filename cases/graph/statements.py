"""Every statement that is sent to Neo4j to write or read a case. They are constants: values only travel beside them.

A statement that ends in `AS told` tells how many rows it kept. Labels and relationship types are written out, as they
cannot be parameters; nothing builds one from data.
"""

from __future__ import annotations

# Places are shared by all cases in a database: one address, one node. What a case knows of them hangs on relationships.
PLACES = {
    "address": "UNWIND $rows AS row MERGE (p:Place {key: row.key})"
    " ON CREATE SET p:Address, p.chain = row.chain, p.name = row.name, p.kind = 'address'",
    "sink": "UNWIND $rows AS row MERGE (p:Place {key: row.key})"
    " ON CREATE SET p:Sink, p.chain = row.chain, p.name = row.name, p.kind = 'sink'",
    "output": "UNWIND $rows AS row MERGE (p:Place {key: row.key})"
    " ON CREATE SET p:Unaddressed, p.chain = row.chain, p.name = row.name, p.kind = 'output'",
    "payers": "UNWIND $rows AS row MERGE (p:Place {key: row.key})"
    " ON CREATE SET p:Unaddressed, p.chain = row.chain, p.name = row.name, p.kind = 'payers'",
}
INCLUDES = """
UNWIND $rows AS row
MATCH (c:Case {name: $case}) MATCH (p:Place {key: row.key})
MERGE (c)-[r:INCLUDES {id: row.id}]->(p)
RETURN count(r) AS told"""
CASE = "MERGE (c:Case {name: $case})"

# Facts.
SENT = """
UNWIND $rows AS row
MATCH (a:Place {key: row.source}) MATCH (b:Place {key: row.target})
MERGE (a)-[r:SENT {id: row.id}]->(b)
SET r = row.props
RETURN count(r) AS told"""
TRANSACTIONS = """
UNWIND $rows AS row
MERGE (t:Transaction {id: row.id})
SET t = row.props
RETURN count(t) AS told"""
INPUTS = """
UNWIND $rows AS row
MATCH (a:Place {key: row.place}) MATCH (t:Transaction {id: row.transaction})
MERGE (a)-[r:INPUT_OF {id: row.id}]->(t)
SET r = row.props
RETURN count(r) AS told"""
OUTPUTS = """
UNWIND $rows AS row
MATCH (t:Transaction {id: row.transaction}) MATCH (b:Place {key: row.place})
MERGE (t)-[r:OUTPUT_TO {id: row.id}]->(b)
SET r = row.props
RETURN count(r) AS told"""
DROP_SENT = "UNWIND $rows AS row MATCH ()-[r:SENT {id: row.id}]->() DELETE r"
DROP_TRANSACTIONS = "UNWIND $rows AS row MATCH (t:Transaction {id: row.id}) DETACH DELETE t"

# Places that nothing of the case names. Asked again where one goes: somebody may have named it in between.
_UNNAMED = """
WHERE NOT EXISTS { (p)-[r:SENT|INPUT_OF|OUTPUT_TO|TRACED_TO|SAME_OWNER]-() WHERE r.case = $case }
  AND NOT EXISTS { (p)-[:SAYS_OF|LOST_TO|IN_CLUSTER|RESTS_WITH]-(n) WHERE n.case = $case }
"""
UNNAMED = "MATCH (:Case {name: $case})-[i:INCLUDES]->(p:Place)" + _UNNAMED + "RETURN i.id AS id, p.key AS key"
DROP_INCLUDES = "UNWIND $rows AS row MATCH (:Case)-[i:INCLUDES {id: row.id}]->(p:Place)" + _UNNAMED + "DELETE i"
# The SET locks the node first, so that nobody ties anything to it between the look and the deletion.
DROP_PLACES = """
UNWIND $rows AS row
MATCH (p:Place {key: row.key})
SET p.kind = p.kind
WITH p WHERE NOT EXISTS { (p)--() }
DELETE p"""

# Claims.
CLAIMS = """
UNWIND $rows AS row
MATCH (p:Place {key: row.place})
MERGE (c:Claim {id: row.id})
SET c = row.props
MERGE (c)-[r:SAYS_OF {id: row.id}]->(p)
RETURN count(r) AS told"""

# Decisions.
LOSSES = """
UNWIND $rows AS row
MERGE (l:Loss {id: row.id})
SET l = row.props
RETURN count(l) AS told"""
DROP_LOST_TO = "UNWIND $rows AS row MATCH (:Loss {id: row.id})-[r:LOST_TO]->() DELETE r"
LOST_TO_WALLET = """
UNWIND $rows AS row
MATCH (l:Loss {id: row.id}) MATCH (p:Place {key: row.place})
MERGE (l)-[r:LOST_TO {id: row.id + '|' + row.place}]->(p)
RETURN count(r) AS told"""
LOST_TO_PAID = """
UNWIND $rows AS row
MATCH (l:Loss {id: row.id})
OPTIONAL MATCH ()-[s:SENT {id: row.paid}]->(b:Place)
OPTIONAL MATCH (t:Transaction {id: row.paid})-[o:OUTPUT_TO]->(c:Place)
WHERE row.output IS NULL OR o.index = row.output
WITH l, collect(DISTINCT b) + collect(DISTINCT c) AS places
UNWIND places AS p
WITH l, p WHERE NOT p:Sink
MERGE (l)-[r:LOST_TO {id: l.id + '|' + p.key}]->(p)"""

# Inferences.
SAME_OWNER = """
UNWIND $rows AS row
MATCH (a:Place {key: row.left}) MATCH (b:Place {key: row.right})
MERGE (a)-[r:SAME_OWNER {id: row.id}]->(b)
SET r = row.props
RETURN count(r) AS told"""
OLD_SAME_OWNER = "MATCH ()-[r:SAME_OWNER {case: $case}]->() WHERE NOT r.id IN $keep RETURN r.id AS id"
DROP_SAME_OWNER = "UNWIND $rows AS row MATCH ()-[r:SAME_OWNER {id: row.id}]->() DELETE r"
CLUSTERS = """
UNWIND $rows AS row
MERGE (c:Cluster {id: row.id})
SET c = row.props
RETURN count(c) AS told"""
IN_CLUSTER = """
UNWIND $rows AS row
MATCH (p:Place {key: row.place}) MATCH (c:Cluster {id: row.cluster})
MERGE (p)-[r:IN_CLUSTER {id: row.id}]->(c)
RETURN count(r) AS told"""
OLD_CLUSTERS = "MATCH (c:Cluster {case: $case}) WHERE NOT c.id IN $keep RETURN c.id AS id"
DROP_CLUSTERS = "UNWIND $rows AS row MATCH (c:Cluster {id: row.id}) DETACH DELETE c"
TRACE = """
UNWIND $rows AS row
MERGE (t:Trace {id: row.id})
SET t = row.props
RETURN count(t) AS told"""
TRACED_TO = """
UNWIND $rows AS row
MATCH (a:Place {key: row.source}) MATCH (b:Place {key: row.target})
MERGE (a)-[r:TRACED_TO {id: row.id}]->(b)
SET r = row.props
RETURN count(r) AS told"""
ENDS = """
UNWIND $rows AS row
MATCH (t:Trace {id: row.trace}) MATCH (p:Place {key: row.place})
MERGE (e:End {id: row.id})
SET e = row.props
MERGE (t)-[r:ENDS_AT {id: row.id}]->(e)
MERGE (e)-[s:RESTS_WITH {id: row.id}]->(p)
RETURN count(e) AS told"""
DROP_FLOWS = "UNWIND $rows AS row MATCH ()-[r:TRACED_TO {case: $case, trace: row.trace}]->() DELETE r"
DROP_ENDS = "UNWIND $rows AS row MATCH (e:End {case: $case, trace: row.trace}) DETACH DELETE e"
DROP_TRACE = "UNWIND $rows AS row MATCH (t:Trace {id: row.id}) DETACH DELETE t"

# How far a push has come, and the case file itself.
MARK = "UNWIND $rows AS row MERGE (m:Mark {id: row.id}) SET m = row.props RETURN count(m) AS told"
MARKED = "MATCH (m:Mark {id: $id}) RETURN m.value AS value"
ARCHIVE = "UNWIND $rows AS row MERGE (a:Archive {id: row.id}) SET a = row.props RETURN count(a) AS told"
ARCHIVED = "MATCH (a:Archive {case: $case}) RETURN a.part AS part, a.n AS n, a.hash AS hash ORDER BY part, n"
ARCHIVE_PIECE = "MATCH (a:Archive {id: $id}) RETURN a.body AS body, a.hash AS hash"
CASES = "MATCH (c:Case) RETURN c.name AS name ORDER BY name"

COUNTS = """
OPTIONAL MATCH (c:Case {name: $case})
WITH c, COUNT { (c)-[:INCLUDES]->() } AS places
CALL () { MATCH ()-[r:SENT]->() WHERE r.case = $case AND r.order >= '' RETURN count(r) AS sent }
CALL () { MATCH (t:Transaction) WHERE t.case = $case AND t.order >= '' RETURN count(t) AS through }
CALL () { MATCH (t:Trace {case: $case, whole: true}) RETURN count(t) AS traces }
CALL () { MATCH ()-[r:SAME_OWNER {case: $case}]->() RETURN count(r) AS judgements }
CALL () { MATCH (k:Cluster {case: $case}) RETURN count(k) AS clusters }
RETURN places, sent + through AS transfers, traces, judgements, clusters"""

# Reading.
READ_ADDRESSES = """
MATCH (:Case {name: $case})-[:INCLUDES]->(p:Address)
RETURN p.chain AS chain, p.name AS name"""
READ_SENT = """
MATCH (a:Place)-[r:SENT]->(b:Place)
WHERE r.case = $case AND r.order >= $order AND NOT (r.order = $order AND r.id <= $id)
RETURN properties(r) AS r, a.chain AS ac, a.name AS an, a.kind AS ak, b.chain AS bc, b.name AS bn, b.kind AS bk
ORDER BY r.order, r.id LIMIT $limit"""
READ_TRANSACTIONS = """
MATCH (t:Transaction)
WHERE t.case = $case AND t.order >= $order AND NOT (t.order = $order AND t.id <= $id)
RETURN t.order AS order, t.id AS id, t.body AS body
ORDER BY t.order, t.id LIMIT $limit"""
READ_CLAIMS = "MATCH (c:Claim {case: $case}) RETURN c.body AS body"
READ_LOSSES = "MATCH (l:Loss {case: $case}) RETURN l.body AS body"
READ_SAME_OWNER = "MATCH ()-[r:SAME_OWNER {case: $case}]->() RETURN r.body AS body"
READ_CLUSTERS = """
MATCH (c:Cluster {case: $case})<-[:IN_CLUSTER]-(p:Place)
RETURN c.id AS id, collect([p.chain, p.name]) AS members"""
READ_TRACES = "MATCH (t:Trace {case: $case, whole: true}) RETURN t.at AS at, t.trace AS id ORDER BY at, id"
READ_TRACE = "MATCH (t:Trace {id: $id}) RETURN t.body AS body, t.whole AS whole"
READ_FLOWS = "MATCH ()-[r:TRACED_TO {case: $case, trace: $trace}]->() RETURN r.body AS body ORDER BY r.n"
READ_ENDS = "MATCH (e:End {case: $case, trace: $trace}) RETURN e.body AS body ORDER BY e.n"
PAID = """
UNWIND $keys AS key
MATCH (a:Place {key: key})-[r:SENT {case: $case}]->(b:Place)
WHERE a <> b AND r.block >= $since AND r.block <= $until AND ($asset IS NULL OR r.asset = $asset)
RETURN r.order AS order, r.transfer AS transfer, r.asset AS asset, r.block AS block, r.time AS time, r.index AS index,
  false AS pooled, [r.units] AS units,
  a.chain AS ac, a.name AS an, a.kind AS ak, b.chain AS bc, b.name AS bn, b.kind AS bk"""
GOT = """
UNWIND $keys AS key
MATCH (b:Place {key: key})<-[r:SENT {case: $case}]-(a:Place)
WHERE a <> b AND r.block >= $since AND r.block <= $until AND ($asset IS NULL OR r.asset = $asset)
RETURN r.order AS order, r.transfer AS transfer, r.asset AS asset, r.block AS block, r.time AS time, r.index AS index,
  false AS pooled, [r.units] AS units,
  a.chain AS ac, a.name AS an, a.kind AS ak, b.chain AS bc, b.name AS bn, b.kind AS bk"""
PAID_THROUGH = """
UNWIND $keys AS key
MATCH (a:Place {key: key})-[:INPUT_OF {case: $case}]->(t:Transaction)
WHERE t.block >= $since AND t.block <= $until AND ($asset IS NULL OR t.asset = $asset)
WITH DISTINCT a, t
MATCH (t)-[o:OUTPUT_TO]->(b:Place) WHERE a <> b
WITH a, t, b, collect(o.units) AS units
RETURN t.order AS order, t.transfer AS transfer, t.asset AS asset, t.block AS block, t.time AS time, t.index AS index,
  t.pooled AS pooled, units,
  a.chain AS ac, a.name AS an, a.kind AS ak, b.chain AS bc, b.name AS bn, b.kind AS bk"""
GOT_THROUGH = """
UNWIND $keys AS key
MATCH (b:Place {key: key})<-[o:OUTPUT_TO {case: $case}]-(t:Transaction)
WHERE t.block >= $since AND t.block <= $until AND ($asset IS NULL OR t.asset = $asset)
WITH b, t, collect(o.units) AS units
MATCH (a:Place)-[:INPUT_OF]->(t) WHERE a <> b
WITH DISTINCT a, t, b, units
RETURN t.order AS order, t.transfer AS transfer, t.asset AS asset, t.block AS block, t.time AS time, t.index AS index,
  t.pooled AS pooled, units,
  a.chain AS ac, a.name AS an, a.kind AS ak, b.chain AS bc, b.name AS bn, b.kind AS bk"""
# Both in one round trip: a case of accounts has none of the second kind, one of coins hardly any of the first.
PAYMENTS_FROM = f"{PAID}\nUNION ALL{PAID_THROUGH}"
PAYMENTS_TO = f"{GOT}\nUNION ALL{GOT_THROUGH}"
