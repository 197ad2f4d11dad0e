"""Bitcoin and its kin, from a node of one's own or from an Esplora explorer: whole transactions, inputs and all."""
