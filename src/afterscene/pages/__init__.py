"""HTML pages: reports about runs, sets and regions."""
