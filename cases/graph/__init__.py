"""The graph of a case: facts, inferences and decisions to ask questions of, in one SQLite file or in Neo4j."""
