"""An exporter, a footprint reader and a generator of another package."""

import numpy as np
import shapely

from afterscene.files import write_atomic
from afterscene.geodata.damage import rasterize


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

    def rows(self, path, within, skipped):
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


NAMES, BOXES, NOTHING = Names(), Boxes(), object()


def install(folder, monkeypatch, package: str, row: str) -> None:
    """As pip does with a package that names a thing: ``GROUP:NAME=MODULE:OBJECT``."""
    group, _, entry = row.partition(":")
    about = folder / f"{package}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[afterscene.{group}]\n{entry}\n")
    monkeypatch.syspath_prepend(str(folder))
