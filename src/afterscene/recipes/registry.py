"""What can be trained by name: ``RECIPES[name]()`` is the full configuration of a run.

A recipe is a function; its first line of docstring is what ``afterscene recipes list`` tells.
Adding one: a function in this folder, a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from afterscene.errors import UnknownName
from afterscene.generators.training import TrainConfig
from afterscene.recipes import generator

RECIPES: Mapping[str, Callable[[], TrainConfig]] = MappingProxyType(
    {"generator": generator.default, "generator-small": generator.small}
)


def recipe(name: str) -> TrainConfig:
    """The configuration of that name. Raises UnknownName."""
    if name not in RECIPES:
        raise UnknownName(f"recipe {name!r} is not known; choose one of: {', '.join(RECIPES)}")
    return RECIPES[name]()
