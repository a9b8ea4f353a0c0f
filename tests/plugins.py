"""An exporter, a footprint reader, a generator and a detector of another package."""

from dataclasses import replace

import numpy as np
import shapely

from afterscene.detectors import DETECTORS
from afterscene.detectors.task import DetectorRun
from afterscene.files import write_atomic
from afterscene.geodata.damage import rasterize
from afterscene.networks.siamese import TinyEncoder


class Names:
    """The ids of a set, one a line."""

    needs = ()

    def write(self, dataset, folder):
        lines = [f"{entry.id} synthetic {entry.licence}\n" for entry in dataset]
        return [write_atomic(folder / "names.txt", "".join(lines).encode())]


class Boxes:
    """Four degrees a line: west, south, east, north."""

    endings = (".boxes",)
    signature = b"BOXES"

    def rows(self, path, within, left_out):
        for line in path.read_text().splitlines()[1:]:
            yield shapely.box(*map(float, line.split())), "surveyor", None


class White:
    """A generator whose model is its folder: damaged buildings turn white."""

    hash = "ab" * 32

    def __init__(self, folder):
        self.folder = folder

    def drawn_as(self, hazard):
        return f"white {hazard}"

    def render(self, pre, damage, *, seed, mode="edit", steps=None):
        damaged = rasterize(damage.buildings, pre.shape) > 1
        return pre.replace(pixels=np.where(damaged, np.uint8(255), pre.pixels))


def corner(config):
    """An encoder: the small one of the package under another name."""
    return TinyEncoder(max(8, config.width // 2))


def corner_detector():
    """A detector on it."""
    small = replace(DETECTORS["tiny"], encoder="corner", width=16, crop=64, batch=2, warmup=1)
    return DetectorRun.of(small)


NAMES, BOXES, NOTHING = Names(), Boxes(), object()


def install(folder, monkeypatch, package: str, *rows: str) -> None:
    """As pip does with a package that names things: each ``GROUP:NAME=MODULE:OBJECT``."""
    about = folder / f"{package}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    parts = (row.partition(":") for row in rows)
    points = [f"[afterscene.{group}]\n{entry}\n" for group, _, entry in parts]
    (about / "entry_points.txt").write_text("".join(points))
    monkeypatch.syspath_prepend(str(folder))
