"""Two images of one place with a divider, which is dragged or moved with the arrow keys.

A self-contained piece of HTML: a notebook shows it below a cell, a page may contain it.
"""

from dataclasses import dataclass

from afterscene.errors import BadParameter
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
