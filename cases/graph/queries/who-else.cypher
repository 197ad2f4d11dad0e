// Who else touched an address: in this case and in every other case of this database
// $place: place, the address, as chain:address
// $most: number = 100, how many rows
//
// Rights decide who may read another case; a database of one case shows that case.
MATCH (a:Place {key: $place})-[r:SENT|TRACED_TO|SAME_OWNER]-(b:Place)
WHERE a <> b
RETURN r.case AS case, type(r) AS what, CASE type(r) WHEN 'SENT' THEN 'fact' ELSE 'inference' END AS kind,
  b.chain + ':' + b.name AS place, count(*) AS times
ORDER BY case, what, times DESC, place
LIMIT $most
