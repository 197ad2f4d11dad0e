// Shared counterparties of two victims: whom both paid
// $case: text, the case's name in this database
// $one: place, the one address, as chain:address
// $two: place, the other address, as chain:address
// $most: number = 50, how many rows
MATCH (a:Place {key: $one})-[r:SENT {case: $case}]->(c:Address)<-[s:SENT {case: $case}]-(b:Place {key: $two})
WHERE a <> b AND c <> a AND c <> b
RETURN c.chain + ':' + c.name AS place, count(DISTINCT r) AS fromOne, count(DISTINCT s) AS fromTwo,
  collect(DISTINCT r.asset + ' ' + r.units)[..20] AS unitsOne, collect(DISTINCT s.asset + ' ' + s.units)[..20] AS unitsTwo
ORDER BY place
LIMIT $most
