"""Post-disaster images from pre images, damage maps and a diffusion bridge."""

from typing import TYPE_CHECKING

from afterscene.lazy import imported_on_demand

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


__getattr__ = imported_on_demand(__name__, _WHERE)
