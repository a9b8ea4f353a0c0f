"""What may be wrong with a pair that can be read: one image twice, or the later one first.

Neither is an error: an untouched place does look the same, and names may lie. So these are warnings
(:class:`~afterscene.errors.OddPair`). The order is known from the names (:mod:`.roles`), from dates
in them, and from the times that the files state.
"""

import filecmp
import re
import warnings
from datetime import datetime
from pathlib import Path

import numpy as np

from afterscene.errors import OddPair
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.roles import Role, said
from afterscene.geodata.scene import Scene
from afterscene.geodata.tiles import Window

_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_LOOKED_AT = 1024


def warn_of_files(pre: ImageFile, post: ImageFile) -> None:
    """Warn (OddPair) of two files that are read in parts: by their bytes and their middle."""
    one, two = (_middle(image) for image in (pre, post))
    same = filecmp.cmp(pre.path, post.path, shallow=False)
    warn_of_pair(pre.path, post.path, one, two, same=same)


def warn_of_pair(
    pre: Path, post: Path, first: Scene, second: Scene, *, same: bool | None = None
) -> None:
    """Warn (OddPair) where the scenes of two files show one image, or the later one first."""
    if same or (first.pixels.any() and np.array_equal(first.pixels, second.pixels)):
        _warn(
            f"{pre} and {post} show the same pixels: nothing can have changed between them; check "
            "that the second is the image after the disaster"
        )
    if why := _order(pre, post, (first.time, second.time)):
        _warn(
            f"{pre} is given as the image before and {post} as the one after, but {why}; give them "
            "the other way round if that is so"
        )


def warn_of_pre(pre: Path) -> None:
    """Warn (OddPair) where the name of a pre image says that it was taken afterwards."""
    if said(pre.stem) == "post":
        _warn(
            f"{pre} is given as the image before the disaster, but its name says after; check that "
            "it shows no damage yet"
        )


def _warn(sentence: str) -> None:
    warnings.warn(sentence, OddPair, stacklevel=3)


def _middle(image: ImageFile) -> Scene:
    height, width = image.grid.shape
    rows, cols = min(height, _LOOKED_AT), min(width, _LOOKED_AT)
    return image.read(Window((height - rows) // 2, (width - cols) // 2, rows, cols))


def _order(pre: Path, post: Path, times: tuple[datetime | None, datetime | None]) -> str:
    """Why the order is probably the other one; empty where nothing says so."""
    roles = _role(pre), _role(post)
    if roles == ("post", "pre"):
        return "their names say the reverse"
    if roles[0] == "post" and roles[1] is None:
        return f"the name of {pre.name} says after"
    if roles[1] == "pre" and roles[0] is None:
        return f"the name of {post.name} says before"
    if None not in roles:
        return ""
    dates = [_date(path.stem) for path in (pre, post)]
    if dates[0] and dates[1] and dates[0] > dates[1]:
        return f"their names say {dates[0]} and {dates[1]}"
    early, late = (time and time.replace(tzinfo=None) for time in times)
    if early and late and early > late:
        return f"the files say {early:%Y-%m-%d %H:%M} and {late:%Y-%m-%d %H:%M}"
    return ""


def _role(path: Path) -> Role | None:
    return said(path.stem) or said(path.absolute().parent.name)


def _date(name: str) -> str:
    """The one date in a name as ``2018-10-13``; empty where there is none, or several."""
    found = {f"{year}-{month}-{day}" for year, _, month, day in _DATE.findall(name)}
    return found.pop() if len(found) == 1 else ""
