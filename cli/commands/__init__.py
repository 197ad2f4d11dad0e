"""The commands, a file for each thing they are about. `cli.program` puts them in order."""
