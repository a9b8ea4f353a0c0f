"""Post-disaster images from pre images, damage maps and a diffusion bridge."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from afterscene.generators.frame import MODES, Mode
    from afterscene.generators.generator import BridgeGenerator
    from afterscene.generators.loading import load
    from afterscene.generators.render import RenderConfig

__all__ = ["MODES", "BridgeGenerator", "Mode", "RenderConfig", "load"]

#: Where each name is; a packed training runs where neither OpenCV nor rasterio is installed.
_WHERE = {
    "MODES": "frame",
    "Mode": "frame",
    "BridgeGenerator": "generator",
    "load": "loading",
    "RenderConfig": "render",
}


def __getattr__(name: str) -> Any:
    """A name of the table, imported when first asked for."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
