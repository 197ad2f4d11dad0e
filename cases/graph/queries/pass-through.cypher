// Addresses that passed money on within an hour, nearly all of it
// $case: text, the case's name in this database
// $seconds: number = 3600, between coming in and going out, at most
// $percent: number = 95, of what came in, at least, by the rounded value
// $most: number = 50, how many rows
//
// A sign of a mule, a router or a bot; no proof of any. The rounded values choose the rows, the texts are exact.
MATCH (:Case {name: $case})-[:INCLUDES]->(a:Address)
MATCH (s:Place)-[i:SENT {case: $case}]->(a)-[o:SENT {case: $case}]->(t:Address)
WHERE s <> a AND t <> a AND i.asset = o.asset AND o.time >= i.time AND o.time - i.time <= $seconds
  AND i.order < o.order AND i.value > 0 AND o.value * 100 >= i.value * $percent AND o.value <= i.value
RETURN a.chain + ':' + a.name AS place, s.name AS source, t.name AS target, i.asset AS asset, i.units AS unitsIn,
  o.units AS unitsOut, o.time - i.time AS seconds
ORDER BY i.value DESC, place, seconds
LIMIT $most
