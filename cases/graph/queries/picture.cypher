// A picture of the newest trace for Browser: the flows, the ends and the losses
// $case: text, the case's name in this database
// $most: number = 300, how many flows
MATCH (t:Trace {case: $case, whole: true})
WITH t ORDER BY t.at DESC, t.trace LIMIT 1
MATCH (a:Place)-[r:TRACED_TO {case: $case}]->(b:Place) WHERE r.trace = t.trace
WITH t, a, r, b ORDER BY r.value DESC LIMIT $most
OPTIONAL MATCH (t)-[:ENDS_AT]->(e:End)-[w:RESTS_WITH]->(b)
OPTIONAL MATCH (l:Loss {case: $case})-[s:LOST_TO]->(p:Place) WHERE p IN [a, b]
RETURN a, r, b, e, w, l, s
