"""Two images of one place with a divider, which is dragged or moved with the arrow keys.

A self-contained piece of HTML: a notebook shows it below a cell, a page may contain it.
"""

from dataclasses import dataclass

from afterscene.geodata.samegrid import same_grid
from afterscene.geodata.scene import Scene
from afterscene.pages.pictures import no_larger
from afterscene.pages.render import render


@dataclass(frozen=True, kw_only=True)
class Swipe:
    """Two images with a divider, as ``html``."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def show_pair(
    pre: Scene, post: Scene, *, words: tuple[str, str] = ("before", "after"), side: int = 640
) -> Swipe:
    """The two scenes on top of each other; a notebook shows them if this is a cell's last line.

    ``words`` are their labels, left and right of the divider; no side exceeds ``side`` pixels.

    Raises:
        BadImage: the scenes are not on one grid.
    """
    same_grid(pre.grid, post.grid)
    pictures = [no_larger(scene.rgb(), side) for scene in (pre, post)]
    width = max(pictures[0].shape[1], side // 2)
    return Swipe(html=render("pair.html", pictures=pictures, words=words, width=width))
