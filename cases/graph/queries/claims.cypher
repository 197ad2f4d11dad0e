// Who says what about an address
// $case: text, the case's name in this database
// $place: place, the address, as chain:address
MATCH (c:Claim {case: $case})-[:SAYS_OF]->(:Place {key: $place})
RETURN c.entity AS entity, c.name AS name, c.role AS role, c.source AS source, c.confidence AS confidence,
  c.seen AS seen, c.evidence AS evidence, c.note AS note
ORDER BY confidence DESC, source, entity
