"""Drawn towns: overhead pictures with exact footprints, from nothing but a seed.

``draw_town`` draws a town as an overhead photo would show it (streets, roofs lit by one sun,
shadows, gardens, trees, water) with exact footprints, as far as tests, lessons and the coarse
picture of the layout model need it. It is a drawing and says so in
``Scene.source``; it is no substitute for real pictures in training a model for use.
"""

from afterscene.geodata.drawn.town import draw_town

__all__ = ["draw_town"]
