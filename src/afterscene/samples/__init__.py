"""Eight pre images with footprints that come with the package, for a first try without data.

Half a metre per pixel, 512 pixels a side, drawn by the layout model of this package from invented
plans (``tools/samples``): no place on Earth looks like this, and every file says that it is
synthetic. The folder is an xBD tree, ``images/{name}_00000000_pre_disaster.jpg`` with its label.
What is wrong with the pictures stands in its ``README.md``.
"""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from afterscene.errors import UnknownName
from afterscene.files import prepare_output, write_atomic
from afterscene.geodata.damage import Building
from afterscene.geodata.scene import Scene, read_scene
from afterscene.geodata.xbd import Pair, XbdTree, read_label

__all__ = ["copy", "folder", "names", "read_sample"]


def folder() -> Path:
    """The xBD tree in the package; read it, do not write to it."""
    return Path(str(files("afterscene"))) / "samples"


def names() -> tuple[str, ...]:
    """``coast``, ``dense-city`` ...: the names that :func:`read_sample` takes."""
    return tuple(_pairs())


def read_sample(name: str) -> tuple[Scene, tuple[Building, ...]]:
    """The pre image and its footprints in pixels, without levels. Raises UnknownName."""
    pair = _find(name)
    assert pair.pre_label is not None
    return read_scene(pair.pre), read_label(pair.pre_label).buildings


def copy(out: Path, chosen: Iterable[str] = ()) -> list[Path]:
    """Copy the samples ``chosen``, or all, to an xBD tree at ``out``; returns the images.

    Raises:
        UnknownName: one of them is no sample.
        OutputConflict: ``out`` holds something else.
    """
    pairs = [_find(name) for name in dict.fromkeys(chosen)] or list(_pairs().values())
    prepare_output(out, "samples", run={"samples": [pair.event for pair in pairs]})
    write_atomic(out / "README.md", (folder() / "README.md").read_bytes())
    for pair in pairs:
        for path in filter(None, (pair.pre, pair.pre_label)):
            (out / path.parent.name).mkdir(exist_ok=True)
            write_atomic(out / path.parent.name / path.name, path.read_bytes())
    return [out / "images" / pair.pre.name for pair in pairs]


def _pairs() -> dict[str, Pair]:
    return {pair.event: pair for pair in XbdTree(folder()).pairs()}


def _find(name: str) -> Pair:
    known = _pairs()
    if name not in known:
        raise UnknownName(f"sample {name!r} is not known; choose one of: {', '.join(known)}")
    return known[name]
