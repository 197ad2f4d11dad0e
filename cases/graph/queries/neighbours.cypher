// Whom an address paid and who paid it, by value
// $case: text, the case's name in this database
// $place: place, the address, as chain:address
// $most: number = 50, how many rows
//
// `value` is rounded, for the eye and the order only. Exact figures are the texts in `units`, a list of base units.
MATCH (a:Place {key: $place})-[r:SENT {case: $case}]-(b:Place)
WHERE a <> b
WITH b, CASE WHEN startNode(r) = a THEN 'paid to' ELSE 'paid by' END AS direction, r.asset AS asset, r.symbol AS symbol,
  r.units AS units, r.value AS value, r.time AS time
RETURN direction, b.chain + ':' + b.name AS place, asset, symbol, count(*) AS payments, sum(value) AS value,
  collect(units)[..100] AS units, toString(datetime({epochSeconds: min(time)})) AS first,
  toString(datetime({epochSeconds: max(time)})) AS last
ORDER BY value DESC, place
LIMIT $most
