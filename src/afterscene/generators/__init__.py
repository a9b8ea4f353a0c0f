"""Post-disaster images from pre images, damage maps and a diffusion bridge."""

from afterscene.generators.generator import MODES, Generator, Mode, load
from afterscene.generators.render import RenderConfig

__all__ = ["MODES", "Generator", "Mode", "RenderConfig", "load"]
