// Where money of an address can have come from: ways that respect the order of time, up to 4 payments
// $case: text, the case's name in this database
// $place: place, the address, as chain:address
// $hops: number = 3, payments at most (4 or fewer)
// $most: number = 50, how many rows
//
// That such a way exists says nothing about amounts: TRACED_TO does. Within a block the order is used where it is told.
MATCH p = (b:Address)-[:SENT*1..4 {case: $case}]->(a:Place {key: $place})
WHERE length(p) <= $hops
  AND all(n IN nodes(p) WHERE single(m IN nodes(p) WHERE m = n))
  AND all(i IN range(0, length(p) - 2) WHERE
    relationships(p)[i].block < relationships(p)[i + 1].block
    OR (relationships(p)[i].block = relationships(p)[i + 1].block
      AND (relationships(p)[i].order < relationships(p)[i + 1].order
        OR ((relationships(p)[i].index < 0 OR relationships(p)[i + 1].index < 0)
          AND relationships(p)[i].tx <> relationships(p)[i + 1].tx))))
RETURN length(p) AS payments, [n IN nodes(p) | n.chain + ':' + n.name] AS places,
  [r IN relationships(p) | r.units] AS units, [r IN relationships(p) | r.asset] AS assets,
  [r IN relationships(p) | toString(datetime({epochSeconds: r.time}))] AS times
ORDER BY payments, places, times
LIMIT $most
