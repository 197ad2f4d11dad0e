// Where the stolen value rests, by the newest trace: the ends, the largest first
// $case: text, the case's name in this database
// $trace: text = , a trace's id; empty for the newest
// $most: number = 100, how many rows
//
// An inference, under each of the trace's accounting rules. A label is a claim, not a fact.
MATCH (t:Trace {case: $case, whole: true}) WHERE $trace = '' OR t.trace = $trace
WITH t ORDER BY t.at DESC, t.trace LIMIT 1
MATCH (t)-[:ENDS_AT]->(e:End)-[:RESTS_WITH]->(p:Place)
RETURN p.chain + ':' + p.name AS place, e.stop AS stop, e.part AS part, e.label AS label, e.why AS why,
  e.asset AS asset, [k IN keys(e) WHERE k STARTS WITH 'stolen_' | substring(k, 7) + ' ' + e[k]] AS stolen,
  e.least AS least, e.most AS most
ORDER BY e.value DESC, place
LIMIT $most
