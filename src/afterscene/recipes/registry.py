"""What can be trained by name: ``RECIPES[name]()`` is the full configuration of a run.

A recipe is a function; its first line of docstring is what ``afterscene recipes list`` tells. The
class of its configuration says which module knows how to load its data, make its trainer and
write its model. Adding one: a function in this folder, a row here; or a function of another
package, named as an entry point of the group ``afterscene.recipes``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, ModuleType

from afterscene.detectors.task import DetectorRun
from afterscene.generators.training import TrainConfig
from afterscene.recipes import detector, generator, layout
from afterscene.recipes.layout import LayoutConfig
from afterscene.registry import Registry
from afterscene.training.config import LoopConfig

RECIPES: Registry[Callable[[], LoopConfig]] = Registry(
    "recipe",
    {
        "generator": generator.default,
        "generator-small": generator.small,
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
        LayoutConfig: layout,
        DetectorRun: detector,
    }
)


def recipe(name: str) -> LoopConfig:
    """The configuration of that name. Raises UnknownName."""
    return RECIPES.find(name)()
