// Where coins of an address can have gone: through transactions, forward in time (Bitcoin and its kin)
// $case: text, the case's name in this database
// $place: place, the address, as chain:address
// $hops: number = 2, transactions at most (3 or fewer)
// $most: number = 50, how many rows
//
// A transaction with several inputs does not say which input paid which output; such a step is marked as pooled.
MATCH p = (a:Place {key: $place})-[:INPUT_OF|OUTPUT_TO*2..6 {case: $case}]->(b:Address)
WHERE length(p) <= 2 * $hops AND a <> b
WITH p, b, [n IN nodes(p) WHERE n:Transaction] AS transactions, [n IN nodes(p) WHERE n:Place] AS places
WHERE all(i IN range(0, size(transactions) - 2) WHERE transactions[i].order < transactions[i + 1].order)
  AND all(n IN places WHERE single(m IN places WHERE m = n))
RETURN size(transactions) AS transactions, [n IN places | n.chain + ':' + n.name] AS places,
  [t IN transactions | t.transfer] AS through, [t IN transactions | t.pooled] AS pooled,
  [r IN relationships(p) WHERE type(r) = 'OUTPUT_TO' | r.units] AS units
ORDER BY transactions, places, through
LIMIT $most
