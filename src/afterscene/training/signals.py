"""SIGTERM and SIGINT as exit codes that a loop checks between two steps."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def caught_signals() -> Iterator[list[int]]:
    """Collects the exit codes of SIGTERM (143) and SIGINT (130) instead of ending at once."""
    codes: list[int] = []
    kinds = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(kind, lambda number, _: codes.append(128 + number)) for kind in kinds]
    try:
        yield codes
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
