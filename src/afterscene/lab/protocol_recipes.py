"""The experiments of ``afterscene compare RECIPE``; ``--set`` changes single fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from afterscene.errors import UnknownName
from afterscene.lab.protocols import Protocol


def new_event() -> Protocol:
    """An event strikes: 0, 2, 5, 10, 20 of its pairs, all others, tested on its other tiles."""
    return Protocol(protocol="new-event")


def leave_one_out() -> Protocol:
    """No real pair of the event in training; tested on the whole event."""
    return Protocol(protocol="leave-one-out")


def rare_levels() -> Protocol:
    """The splits as they are; minor and major damage, asked for by middle severities."""
    return Protocol(protocol="rare-levels", events=(), severity=(0.3, 0.7))


PROTOCOL_RECIPES: Mapping[str, Callable[[], Protocol]] = MappingProxyType(
    {"new-event": new_event, "leave-one-out": leave_one_out, "rare-levels": rare_levels}
)


def protocol(name: str) -> Protocol:
    """The protocol of that name. Raises UnknownName."""
    if name not in PROTOCOL_RECIPES:
        known = ", ".join(PROTOCOL_RECIPES)
        raise UnknownName(f"protocol {name!r} is not known; choose one of: {known}")
    return PROTOCOL_RECIPES[name]()
