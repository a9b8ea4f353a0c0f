"""Post-disaster images from pre images, damage maps and a diffusion bridge."""

from afterscene.generators.frame import MODES, Mode
from afterscene.generators.generator import BridgeGenerator
from afterscene.generators.loading import load
from afterscene.generators.render import RenderConfig

__all__ = ["MODES", "BridgeGenerator", "Mode", "RenderConfig", "load"]
