"""Exports a finished set to other formats: one function per format, one row here.

Every item of every format has ``synthetic`` and its licence, and, if the format has room for them,
its change captions. Bytes are a function of the set alone: no time of writing, no user, no path of
this machine; pairs in manifest order. (A Croissant card has a date: that of the manifest file.)
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from afterscene.errors import MissingExtra, OutputConflict
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.export import buildings, coco, cog, croissant, manifest, stac, webdataset
from afterscene.registry import Registry

__all__ = ["EXPORTERS", "Exporter", "check_apart", "find_exporter"]


@runtime_checkable
class Exporter(Protocol):
    """A format: ``write(dataset, folder)`` returns the files that it wrote, in order.

    ``needs`` are modules that must be installed. ``write`` raises MissingFile, BadLabel of a pair.
    """

    @property
    def needs(self) -> tuple[str, ...]: ...

    @property
    def write(self) -> Callable[[Dataset, Path], list[Path]]: ...


@dataclass(frozen=True)
class _Format:
    write: Callable[[Dataset, Path], list[Path]]
    needs: tuple[str, ...] = ()


EXPORTERS: Registry[Exporter] = Registry(
    "exporter",
    {
        "coco": _Format(coco.export_coco),
        "cog": _Format(cog.export_cog),
        "croissant": _Format(croissant.export_croissant),
        "geojson": _Format(buildings.export_geojson),
        "geopackage": _Format(buildings.export_geopackage),
        "geoparquet": _Format(buildings.export_geoparquet, needs=("geopandas", "pyarrow")),
        "manifest": _Format(manifest.export_manifest, needs=("pyarrow",)),
        "stac": _Format(stac.export_stac, needs=("pystac",)),
        "webdataset": _Format(webdataset.export_webdataset),
    },
)
"""Every format by name, with those of installed packages."""


def find_exporter(name: str) -> Exporter:
    """The exporter with that name, ready to write. Raises UnknownName, MissingExtra."""
    found = EXPORTERS.find(name)
    for module in found.needs:
        if importlib.util.find_spec(module) is None:
            raise MissingExtra(
                f"format {name!r} needs {module}, which is not installed; "
                'install it with: pip install "afterscene[geo]"'
            )
    return found


def check_apart(dataset: Dataset, out: Path) -> None:
    """Refuse a folder that is or contains the set, because an export may empty its folder.

    Raises:
        OutputConflict: it is or contains the set.
    """
    if dataset.root.resolve().is_relative_to(out.resolve()):
        raise OutputConflict(
            f"{out} is or contains the set {dataset.root} to be exported; give another folder"
        )
