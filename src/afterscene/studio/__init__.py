"""The studio: the whole job on one page in a browser, for people who write no code.

One process on this machine alone. The page calls an HTTP interface (:mod:`.routes`) that calls the
functions the commands call, with the same records. Work that takes time waits in one line
(:mod:`.jobs`), and everything that must outlive the process lies in one folder (:mod:`.store`).
No path of a file ever comes from a client: files have numbers that nobody can guess. Nothing is
loaded from elsewhere (:mod:`.guard`), so it works without a network.
"""
