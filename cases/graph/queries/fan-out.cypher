// Addresses that paid the most others, and those that the most others paid
// $case: text, the case's name in this database
// $least: number = 10, others at least
// $most: number = 50, how many rows
MATCH (:Case {name: $case})-[:INCLUDES]->(a:Address)
CALL (a) { MATCH (a)-[r:SENT {case: $case}]->(b:Address) WHERE a <> b RETURN count(DISTINCT b) AS paid }
CALL (a) { MATCH (a)<-[r:SENT {case: $case}]-(b:Address) WHERE a <> b RETURN count(DISTINCT b) AS payers }
WITH a, paid, payers WHERE paid >= $least OR payers >= $least
RETURN a.chain + ':' + a.name AS place, paid, payers
ORDER BY paid + payers DESC, place
LIMIT $most
