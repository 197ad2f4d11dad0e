// Who is taken for one owner with an address, and why
// $case: text, the case's name in this database
// $place: place, the address, as chain:address
//
// Each row is a judgement: an inference with its rule, its evidence and whoever made it. Without it the cluster falls apart.
MATCH (:Place {key: $place})-[:IN_CLUSTER]->(c:Cluster {case: $case})<-[:IN_CLUSTER]-(a:Place)
MATCH (a)-[r:SAME_OWNER {case: $case}]->(b:Place)
RETURN DISTINCT a.chain + ':' + a.name AS one, b.chain + ':' + b.name AS other, r.rule AS rule,
  r.confidence AS confidence, r.author AS author, coalesce(r.evidence, []) AS evidence
ORDER BY confidence DESC, one, other, rule
