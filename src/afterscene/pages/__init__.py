"""Pages that a person reads: reports of runs, sets and regions."""
