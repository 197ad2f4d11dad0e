// The way of the stolen value to one end, payment by payment, with the amount under each rule
// $case: text, the case's name in this database
// $place: place, the end, as chain:address
// $trace: text = , a trace's id; empty for the newest
// $hops: number = 12, payments at most (20 or fewer)
//
// Inferred, not recorded: TRACED_TO says what a rule makes of the payments.
MATCH (t:Trace {case: $case, whole: true}) WHERE $trace = '' OR t.trace = $trace
WITH t ORDER BY t.at DESC, t.trace LIMIT 1
MATCH (b:Place {key: $place})
MATCH p = (a:Place)-[:TRACED_TO*1..20 {case: $case}]->(b)
WHERE length(p) <= $hops
  AND all(r IN relationships(p) WHERE r.trace = t.trace)
  AND NOT EXISTS { MATCH (:Place)-[r:TRACED_TO {case: $case}]->(a) WHERE r.trace = t.trace }
  AND all(i IN range(0, length(p) - 2) WHERE relationships(p)[i].n < relationships(p)[i + 1].n)
WITH p ORDER BY length(p), [r IN relationships(p) | r.n] LIMIT 1
UNWIND relationships(p) AS r
RETURN startNode(r).chain + ':' + startNode(r).name AS source, endNode(r).chain + ':' + endNode(r).name AS target,
  r.transfer AS transfer, toString(datetime({epochSeconds: r.time})) AS time, r.asset AS asset,
  [k IN keys(r) WHERE k STARTS WITH 'units_' | substring(k, 6) + ' ' + r[k]] AS units
ORDER BY r.n
