"""A picture painted by hand, as kinds: each pixel the kind of the nearest colour of a palette.

White and transparent are blank. Edges of brushes and JPEG blur colours into each other: a pixel of
no known colour takes the kind of the nearest known one within :data:`EDGE` pixels, if something is
painted within twice as many. What is left
then is a colour that was meant, but that nobody explained, and is refused with its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from afterscene.errors import BadParameter
from afterscene.geodata.scene import read_scene

Colour = tuple[int, int, int]
#: A kind and one of its colours; several may belong to one kind.
Palette = Sequence[tuple[str, Colour]]
#: Distance in RGB up to which a colour is that of a palette.
TOLERANCE = 60.0
EDGE = 3
#: Share of the picture that may be of unknown colours.
LEFT = 0.0005
#: And share that may be blurred edges, beside strokes too: more is a photograph.
BLURRED = 0.25
BLANK = (255, 255, 255)


def read_painted(
    path: Path, palette: Palette, shape: tuple[int, int] | None = None, *, strokes: bool = False
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H, W) uint8 kinds of a painted picture, and the names of kinds 1, 2 ...; 0 is blank.

    Args:
        path: PNG, JPEG or GeoTIFF.
        palette: Kinds with their colours.
        strokes: Thin lines count; else they are taken for the blurred edge between two areas.
        shape: (H, W) to which it is scaled; its sides must have this ratio. None: as it is.

    Raises:
        MissingFile, BadImage: it cannot be read.
        BadParameter: a colour that the palette does not have, nothing painted, or another shape.
    """
    scene = read_scene(path)
    names = tuple(dict.fromkeys(name for name, _ in palette))
    kinds = np.array([0, *(names.index(name) + 1 for name, _ in palette)], np.uint8)
    colours = np.array([BLANK, *(colour for _, colour in palette)], np.float32)
    # Colours as they were painted: the limits of an image of the ground would shift them.
    whole = [(0.0, 65535.0)] * 3 if scene.pixels.dtype == np.uint16 else None
    rgb = np.where(scene.valid[..., None], scene.rgb(stretch=whole), 255)
    found = kinds[_nearest(path, rgb, colours, palette)]
    found = found if strokes else _without_slivers(found)
    if not found.any():
        raise BadParameter(f"{path}: nothing is painted in it; {_colours(palette)}")
    return (found if shape is None else _scaled(path, found, shape)), names


def _without_slivers(found: np.ndarray) -> np.ndarray:
    """The kinds without lines thinner than :data:`EDGE`: red beside white blurs into orange."""
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * EDGE - 1, 2 * EDGE - 1))
    solid = np.zeros(found.shape, bool)
    for kind in np.unique(found):
        own = (found == kind).astype(np.uint8)
        solid |= cv2.morphologyEx(own, cv2.MORPH_OPEN, brush) > 0
    return _filled(found, solid)


def _filled(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Each value that is not known as the nearest known one."""
    if known.all() or not known.any():
        return values
    _, label = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.zeros(int(label.max()) + 1, values.dtype)
    owner[label[known]] = values[known]
    return np.asarray(np.where(known, values, owner[label]))


def _nearest(path: Path, rgb: np.ndarray, colours: np.ndarray, palette: Palette) -> np.ndarray:
    """(H, W) index of the nearest colour. Raises BadParameter: it is not near."""
    index = np.zeros(rgb.shape[:2], np.intp)
    away = np.full(rgb.shape[:2], np.inf, np.float32)
    for k, colour in enumerate(colours):
        distance = np.linalg.norm(rgb.astype(np.float32) - colour, axis=2)
        index, away = np.where(distance < away, k, index), np.minimum(away, distance)
    known = away <= TOLERANCE
    if (~known).mean() > BLURRED:
        raise _unknown(path, rgb, known, palette)
    painted = known & (index > 0)  # a thin line of a strange colour on white is no blurred edge
    index = _filled(index, known)
    known |= (_away(known) <= EDGE) & (_away(painted) <= 2 * EDGE)
    if (~known).mean() > LEFT:
        raise _unknown(path, rgb, known, palette)
    return index


def _away(mask: np.ndarray) -> np.ndarray:
    """Pixels from each pixel to the mask."""
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5))


def _unknown(path: Path, rgb: np.ndarray, known: np.ndarray, palette: Palette) -> BadParameter:
    _, parts, stats, _ = cv2.connectedComponentsWithStats((~known).astype(np.uint8))
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    row, column = np.argwhere(parts == largest)[0]
    red, green, blue = np.median(rgb[parts == largest], axis=0).astype(int)
    return BadParameter(
        f"{path}: {(~known).mean():.1%} of it has a colour of no meaning, most of it "
        f"#{bytes((red, green, blue)).hex()} at column {column}, row {row}; {_colours(palette)}"
    )


def _colours(palette: Palette) -> str:
    named = {name: "#" + bytes(colour).hex() for name, colour in reversed(palette)}
    told = ", ".join(f"{name} {named[name]}" for name in dict.fromkeys(n for n, _ in palette))
    return f"paint with {told} on white"


def _scaled(path: Path, found: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The kinds on a grid of that shape. Raises BadParameter: the sides have another ratio."""
    (height, width), (rows, columns) = found.shape, shape
    if abs(width * rows - columns * height) > 0.02 * columns * height:
        raise BadParameter(
            f"{path}: has {width}x{height} pixels, the picture {columns}x{rows}; paint over the "
            "picture itself, or in the same ratio of sides"
        )
    return np.asarray(cv2.resize(found, (columns, rows), interpolation=cv2.INTER_NEAREST))
