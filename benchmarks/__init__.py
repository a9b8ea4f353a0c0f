"""Benchmarks: how long each station of the pipeline takes on this machine."""
