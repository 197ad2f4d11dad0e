// Payments of next to nothing: dust, and what may be address poisoning
// $case: text, the case's name in this database
// $place: place, the address, as chain:address
// $most: number = 100, how many rows
//
// Somebody sends nothing, or a worthless token, from an address that looks like one you know. Compare all of it.
MATCH (a:Place {key: $place})-[r:SENT {case: $case}]-(b:Address)
WHERE a <> b AND (r.units = '0' OR r.value < 0.000001)
OPTIONAL MATCH (a)-[:SENT {case: $case}]-(known:Address)
WHERE known <> b AND left(known.name, 5) = left(b.name, 5) AND right(known.name, 4) = right(b.name, 4)
RETURN b.chain + ':' + b.name AS place, r.asset AS asset, r.symbol AS symbol, r.units AS units, r.transfer AS transfer,
  collect(DISTINCT known.name)[..3] AS looksLike
ORDER BY size(looksLike) DESC, transfer
LIMIT $most
