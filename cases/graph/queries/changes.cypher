// What changed between two traces: ends that one has and the other has not, or with another amount
// $case: text, the case's name in this database
// $earlier: text, the id of the earlier trace
// $later: text, the id of the later one
MATCH (t:Trace {case: $case})-[:ENDS_AT]->(e:End)-[:RESTS_WITH]->(p:Place)
WHERE t.trace IN [$earlier, $later] AND t.whole
WITH p.chain + ':' + p.name AS place, e.asset AS asset,
  collect(CASE WHEN t.trace = $earlier THEN e END) AS before, collect(CASE WHEN t.trace = $later THEN e END) AS after
WITH place, asset, head(before) AS before, head(after) AS after
WITH place, asset, before.stop AS stopBefore, after.stop AS stopAfter,
  [k IN keys(before) WHERE k STARTS WITH 'stolen_' | substring(k, 7) + ' ' + before[k]] AS stolenBefore,
  [k IN keys(after) WHERE k STARTS WITH 'stolen_' | substring(k, 7) + ' ' + after[k]] AS stolenAfter
WHERE coalesce(stopBefore, '') <> coalesce(stopAfter, '') OR coalesce(stolenBefore, []) <> coalesce(stolenAfter, [])
RETURN place, asset, stopBefore, stopAfter, stolenBefore, stolenAfter
ORDER BY place, asset
