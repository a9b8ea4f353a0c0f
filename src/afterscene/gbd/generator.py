"""The interface of a generator, and how one is loaded.

A model folder names its ``kind`` in ``config.json``. A kind is a row of :data:`GENERATORS`, or an
entry point of the group ``afterscene.generators`` in another package: a function from the folder to
a :class:`Generator`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from afterscene import shipped
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.scene import Scene
from afterscene.registry import Registry


@runtime_checkable
class Generator(Protocol):
    """What a build needs from a generator (:mod:`afterscene.generators` has the shipped one)."""

    @property
    def hash(self) -> str:
        """sha256 of the weights."""

    def drawn_as(self, hazard: str) -> str:
        """The hazard that it draws for ``hazard``; "not said" if it knows none like it."""

    def render(
        self,
        pre: Scene,
        damage: DamageMap,
        *,
        seed: int,
        mode: Any = "edit",
        steps: int | None = None,
    ) -> Scene:
        """The scene after the damage, on the grid of ``pre``."""


def _bridge(folder: Path) -> Generator:
    from afterscene.generators import load

    return load(folder)


GENERATORS: Registry[Callable[[Path], Generator]] = Registry("generator", {"bridge": _bridge})
"""Functions that load a generator from a model folder, by the kind in its config."""


def load_generator(name: str | Path = "default") -> Generator:
    """The generator of a shipped model by name, or of a model folder of any known kind.

    Raises:
        UnknownName: neither a shipped name nor a folder with a model of such a kind.
        BadWeights: a file is damaged or does not fit the network.
    """
    folder = shipped.find(name, *GENERATORS)
    kind = shipped.kind_of(folder)
    return GENERATORS[kind if kind in GENERATORS else "bridge"](folder)
