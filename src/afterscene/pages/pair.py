"""Two pictures of one place under a divider that is dragged, or moved by the arrow keys.

A piece of HTML that needs nothing else: a notebook shows it under its cell, a page may hold it.
"""

from dataclasses import dataclass

from afterscene.errors import BadParameter
from afterscene.geodata.scene import Scene
from afterscene.pages.pictures import no_larger
from afterscene.pages.render import render


@dataclass(frozen=True, kw_only=True)
class Swipe:
    """Two pictures under a divider, as ``html``."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def show_pair(
    pre: Scene, post: Scene, *, words: tuple[str, str] = ("before", "after"), side: int = 640
) -> Swipe:
    """The two scenes over each other; the last line of a notebook's cell shows them.

    ``words`` name them, left and right of the divider; no side is longer than ``side`` pixels.

    Raises:
        BadParameter: the scenes have different sizes.
    """
    if pre.shape != post.shape:
        raise BadParameter(
            f"a pair shows one place: {pre.source or 'pre'} has {pre.shape} pixels, "
            f"{post.source or 'post'} {post.shape}; cut both to the same grid"
        )
    pictures = [no_larger(scene.rgb(), side) for scene in (pre, post)]
    width = max(pictures[0].shape[1], side // 2)
    return Swipe(html=render("pair.html", pictures=pictures, words=words, width=width))
