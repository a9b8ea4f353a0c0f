"""Two pictures under a divider: what the HTML holds, and what a mouse and keys do with it."""

import numpy as np
import pytest

from afterscene.errors import BadImage
from afterscene.geodata.scene import Scene
from afterscene.pages.pair import show_pair


def scene(value: int, side: int = 64) -> Scene:
    return Scene.of_rgb(np.full((side, side, 3), value, np.uint8))


def test_it_needs_nothing_else_and_says_what_it_shows():
    html = show_pair(scene(10), scene(200), words=("before", "a <post>")).html
    assert html.count("data:image/jpeg;base64,") == 2
    assert "http" not in html and "<script" not in html and "\n\n" not in html
    assert 'alt="before"' in html and 'alt="a &lt;post&gt;"' in html
    assert show_pair(scene(10), scene(200))._repr_html_().startswith("<div ")


def test_two_places_are_no_pair():
    with pytest.raises(BadImage, match="64 x 64 pixels against 32 x 32"):
        show_pair(scene(0), scene(0, side=32))
