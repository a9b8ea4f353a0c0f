"""Drawn towns: overhead pictures made from a seed, for tests and for the demo without data.

``draw_town`` draws a town as an overhead photo would show it (streets, roofs lit by one sun,
shadows, gardens, trees, cars, water) with exact footprints; ``draw_aftermath`` draws what a damage
map did to it. Both are drawings and say so in ``Scene.source``; they are no substitute for real
pictures in training a model for use.
"""

from afterscene.geodata.drawn.aftermath import draw_aftermath
from afterscene.geodata.drawn.town import draw_town

__all__ = ["draw_aftermath", "draw_town"]
