"""What can be trained by name: ``RECIPES[name]()`` is the full configuration of a run.

A recipe is a function; ``afterscene recipes list`` shows the first line of its docstring. The class
of its configuration decides which module loads its data, makes its trainer and writes its model. To
add one: a function in this folder and a row here; or a function of another package, as an entry
point of the group ``afterscene.recipes``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, ModuleType

from afterscene.detectors.task import DetectorRun
from afterscene.generators.distillation import DistilConfig
from afterscene.generators.training import TrainConfig
from afterscene.recipes import detector, generator, layout
from afterscene.recipes.layout import LayoutConfig
from afterscene.registry import Registry
from afterscene.training.config import LoopConfig

RECIPES: Registry[Callable[[], LoopConfig]] = Registry(
    "recipe",
    {
        "generator": generator.default,
        "generator-compact": generator.compact,
        "generator-small": generator.small,
        "generator-distilled": generator.distilled,
        "layout": layout.default,
        "unet": detector.unet,
        "tiny": detector.tiny,
        "swin": detector.swin,
        "clip": detector.clip,
    },
)
#: Class of a configuration -> the module with load_data, make_trainer, initial and finish.
KINDS: Mapping[type, ModuleType] = MappingProxyType(
    {
        TrainConfig: generator,
        DistilConfig: generator,
        LayoutConfig: layout,
        DetectorRun: detector,
    }
)


def recipe(name: str) -> LoopConfig:
    """The configuration with that name. Raises UnknownName."""
    return RECIPES.find(name)()
