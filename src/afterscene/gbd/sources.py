"""Finds, matches, checks and reads the pre images and footprints that pairs are made from.

A source is checked before anything is drawn, by its label and the header of its image; the pixels
are decoded once, when the pair is made.
"""

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from shapely.validation import explain_validity

from afterscene.errors import (
    AftersceneError,
    BadImage,
    BadLabel,
    BadParameter,
    MissingFile,
    OddPair,
)
from afterscene.files import sha256_file
from afterscene.gbd.plan import Source
from afterscene.geodata.bands import band_order
from afterscene.geodata.damage import Building
from afterscene.geodata.doubts import warn_of_pre
from afterscene.geodata.georeference import read_label_of
from afterscene.geodata.imagefiles import decoding, open_pillow, open_raster, sniff
from afterscene.geodata.leftout import NO_BUILDING, NO_LABEL, LeftOut
from afterscene.geodata.mapped import located, own_file
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.resolution import check_pixels
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.xbd import XbdLabel, XbdTree

SMALLEST = 16
"""Smallest side of an image in pixels."""
PLAIN = (".png", ".jpg", ".jpeg")
PRE = "_pre_disaster"
CUT_FROM = "picture"
"""In the metadata of a tile's label: the picture that it was cut from."""


def find_sources(
    xbd: Path, split: str | None = None, left_out: LeftOut | None = None
) -> tuple[Source, ...]:
    """The pairs of an xBD tree whose pre label has a building; the others are counted.

    A label that cannot be read is kept, so that the build reports it.

    Raises:
        MissingFile: the folder or the split is missing, or no pre label has a building.
    """
    count, sources = left_out if left_out is not None else LeftOut(), []
    pairs = XbdTree(xbd).pairs(split, count)
    for pair in pairs:
        if pair.pre_label is None:
            count.add(NO_LABEL)
        elif not _has_buildings(pair.pre_label, pair.pre):
            count.add(NO_BUILDING)
        else:
            made = Source(id=pair.id, event=pair.event, pre=pair.pre, label=pair.pre_label)
            sources.append(made)
    if not sources:
        raise MissingFile(
            f"{xbd}: no pre image with labelled buildings among its {len(pairs)} pairs; "
            f"give an xBD folder with images/ and labels/{f' ({count})' if count else ''}"
        )
    return tuple(sources)


def _has_buildings(label: Path, image: Path) -> bool:
    try:
        return len(read_label_of(label, image).buildings) > 0
    except AftersceneError:
        return True


def match_labels(pres: Sequence[Path], labels: Sequence[Path]) -> tuple[Source, ...]:
    """Each pre image with its label.

    One label or footprint file for each image in the same order, or one folder that holds
    ``{image stem}.json`` (or another ending of a footprint file) for each.

    Raises:
        BadParameter: the numbers differ, or two images would write the same files.
    """
    if len(labels) == 1 and labels[0].is_dir():
        files = [own_file(labels[0], pre) or labels[0] / f"{pre.stem}.json" for pre in pres]
    elif len(labels) == len(pres):
        files = list(labels)
    else:
        raise BadParameter(
            f"{len(pres)} images but {len(labels)} label files; give --labels once for each image "
            "in the same order, or one folder with a {stem}.json for each"
        )
    sources = tuple(_source(pre, label) for pre, label in zip(pres, files, strict=True))
    stem, count = Counter(source.id for source in sources).most_common(1)[0]
    if count > 1:
        raise BadParameter(f"two images are named {stem}; give them in two commands")
    _warn_of_order(sources)
    return sources


def _warn_of_order(sources: Sequence[Source]) -> None:
    """Warn (OddPair) where a label has the name of another image than that it is given for."""
    images = {source.pre.stem: source.pre for source in sources}
    for source in sources:
        own = images.get(source.label.stem)
        if own is not None and own != source.pre:
            warnings.warn(
                f"{source.label} is given for {source.pre}, but has the name of {own}; give "
                "--labels in the order of the images if it is the label of that",
                OddPair,
                stacklevel=3,
            )


def _source(pre: Path, label: Path) -> Source:
    stem = pre.stem.removesuffix(PRE)
    if not stem:
        raise BadParameter(f"{pre}: the name consists of {PRE} alone; rename the image")
    return Source(id=stem, event=stem.rsplit("_", 1)[0], pre=pre, label=label, strict=True)


def check_source(source: Source) -> XbdLabel:
    """The label of a source, checked as far as possible without reading pixels.

    Raises:
        MissingFile: the image or the label is not there.
        BadImage: it is no image, too small, or a PNG of four bands, or its houses are too small.
        BadLabel: the label cannot be used, or a building lies outside the image.
        BadParameter: a file is not what it was when its plan was written, or footprints in degrees
            do not lie on the image.
    """
    for path, what in ((source.pre, "pre image"), (located(source.label)[0], "label file")):
        if not path.is_file():
            raise MissingFile(f"{path}: there is no such {what}; check the path")
    _check_unchanged(source)
    warn_of_pre(source.pre)
    grid = ImageFile(source.pre).grid
    _check_image(source.pre, grid.shape)
    label = read_label_of(source.label, source.pre)
    _check_buildings(label.buildings, grid.shape, source.label, source.strict)
    if CUT_FROM not in label.metadata:  # the picture that it was cut from was checked as a whole
        check_pixels(grid, label.buildings)
    return label


def read_source(source: Source, label: XbdLabel | None = None) -> tuple[Scene, XbdLabel]:
    """The pre image and its footprints, both checked; ``label`` if that was already done.

    16-bit and four-band GeoTIFFs are converted to 8-bit RGB by :meth:`Scene.rgb`; PNG and JPEG must
    be 8-bit grey or RGB, since nothing in them says how to stretch or what a fourth band means.

    Raises:
        MissingFile, BadImage, BadLabel, BadParameter: see :func:`check_source`.
    """
    label = check_source(source) if label is None else label
    scene = read_scene(source.pre)
    if source.pre.suffix.lower() in PLAIN and scene.pixels.dtype != np.uint8:
        raise BadImage(
            f"{source.pre}: {scene.pixels.dtype} pixels; save it as 8-bit RGB, or as GeoTIFF"
        )
    return scene, label


def check_sources(
    sources: Sequence[Source],
    on_error: str,
    labels: dict[str, XbdLabel] | None = None,
    left_out: LeftOut | None = None,
) -> dict[str, str]:
    """Check each source; returns the errors of unusable ones, by id.

    ``labels`` keeps what was read, by id; without it nothing stays in memory. ``left_out`` counts
    what of the labels is not used.

    Raises:
        AftersceneError: the first error, if ``on_error`` is ``fail``; BadParameter if no source is
            left.
    """
    bad: dict[str, str] = {}
    for source in sources:
        try:
            label = check_source(source)
        except AftersceneError as error:
            if on_error == "fail":
                raise
            bad[source.id] = str(error)
        else:
            if labels is not None:
                labels[source.id] = label
            if left_out is not None:
                left_out.take(label.left_out)
    if bad and len(bad) == len(sources):
        raise BadParameter(f"nothing can be made: {next(iter(bad.values()))}")
    return bad


def hashes(sources: Iterable[Source]) -> dict[str, tuple[str, str]]:
    """SHA-256 of image and label of each source by its id; "missing" if there is no file."""
    return {source.id: (file_hash(source.pre), file_hash(source.label)) for source in sources}


def file_hash(path: Path) -> str:
    """SHA-256 of a file; "missing" if there is none."""
    file = located(path)[0]
    return sha256_file(file) if file.is_file() else "missing"


def digest(found: Mapping[str, tuple[str, str]]) -> str:
    """One short hash over the names and :func:`hashes` of sources.

    It changes when data change, and not when a folder is moved.
    """
    total = hashlib.sha256()
    for name, parts in sorted(found.items()):
        total.update("".join((name, *parts)).encode())
    return total.hexdigest()[:16]


def _check_unchanged(source: Source) -> None:
    for path, was in zip((source.pre, source.label), source.sha256 or (), strict=False):
        if sha256_file(path) != was:
            raise BadParameter(
                f"{path} has changed since the plan was made; write the plan again (gbd plan)"
            )


def _check_image(path: Path, shape: tuple[int, int]) -> None:
    height, width = shape
    if min(shape) < SMALLEST:
        raise BadImage(
            f"{path}: {width}x{height} pixels are too few; give at least {SMALLEST}x{SMALLEST}"
        )
    kind = sniff(path)
    if path.suffix.lower() not in PLAIN:
        if kind == "GTiff":
            with open_raster(path) as source:
                band_order(path, source)
        return
    with decoding(path), open_pillow(path, kind) as image:
        bands = len(image.getbands())
        if kind == "PNG":
            image.verify()  # checksums: finds a truncated file without decoding it
    if bands not in (1, 3):
        raise BadImage(f"{path}: {bands} bands; save it as 8-bit RGB, or as GeoTIFF")


def _check_buildings(
    buildings: tuple[Building, ...], shape: tuple[int, int], path: Path, strict: bool
) -> None:
    height, width = shape
    for building in buildings:
        if strict and not building.polygon.is_valid:
            raise BadLabel(
                f"{path}: building {building.uid} has an outline that crosses itself "
                f"({explain_validity(building.polygon)}); correct or remove it"
            )
        left, top, right, bottom = building.polygon.bounds
        if right < 0 or bottom < 0 or left > width or top > height:
            raise BadLabel(
                f"{path}: building {building.uid} (x {left:g} to {right:g}, y {top:g} to "
                f"{bottom:g}) is outside the image of {width}x{height} pixels; "
                "check that label and image belong together"
            )
