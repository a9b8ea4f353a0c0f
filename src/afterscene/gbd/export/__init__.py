"""Hand a finished set on in the formats of others: one small file a format, one row in ``FORMATS``.

Every item of every format carries ``synthetic`` and its licence, and where the format has room its
change captions. Bytes are a function of the set alone: no time of writing, no user, no path of this
machine; pairs in manifest order. (A Croissant card has a date: that of the manifest file.)
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from afterscene.errors import MissingExtra, OutputConflict, UnknownName
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.export import (
    coco,
    cog,
    croissant,
    geojson,
    geopackage,
    geoparquet,
    manifest,
    stac,
    webdataset,
)

__all__ = ["FORMATS", "Format", "check_apart", "export", "find_format"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A way to write a set: ``write(dataset, folder)`` returns the files it made, in order.
    ``needs`` are modules of the extra ``geo``.
    """

    about: str
    write: Callable[[Dataset, Path], list[Path]]
    needs: tuple[str, ...] = ()


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "coco": Format(about="COCO instances of buildings, levels as categories", write=coco.write),
        "cog": Format(about="cloud-optimised GeoTIFF of each picture", write=cog.write),
        "croissant": Format(
            about="Croissant 1.1 and GeoCroissant card with its records", write=croissant.write
        ),
        "geojson": Format(about="buildings in WGS84, one FeatureCollection", write=geojson.write),
        "geopackage": Format(
            about="buildings in WGS84, one layer",
            write=geopackage.write,
            needs=("geopandas", "pyogrio"),
        ),
        "geoparquet": Format(
            about="buildings in WGS84, GeoParquet",
            write=geoparquet.write,
            needs=("geopandas", "pyarrow"),
        ),
        "manifest": Format(
            about="manifest.parquet, one row a pair", write=manifest.write, needs=("pyarrow",)
        ),
        "stac": Format(
            about="static STAC catalogue, extensions label and ml-aoi",
            write=stac.write,
            needs=("pystac",),
        ),
        "webdataset": Format(about="tar shards of WebDataset samples", write=webdataset.write),
    }
)


def find_format(name: str) -> Format:
    """The format of that name, ready to write. Raises UnknownName, MissingExtra."""
    if name not in FORMATS:
        raise UnknownName(f"format {name!r} is not known; choose one of: {', '.join(FORMATS)}")
    for module in FORMATS[name].needs:
        if importlib.util.find_spec(module) is None:
            raise MissingExtra(
                f"format {name!r} needs {module}, which is not installed; "
                'install it with: pip install "afterscene[geo]"'
            )
    return FORMATS[name]


def check_apart(dataset: Dataset, out: Path) -> None:
    """Refuse a folder that is the set or holds it, for an export may empty its folder.

    Raises:
        OutputConflict: it is so.
    """
    if dataset.root.resolve().is_relative_to(out.resolve()):
        raise OutputConflict(
            f"{out}: is or holds the set {dataset.root} that is to be exported; give another folder"
        )


def export(dataset: Dataset, name: str, out: Path) -> list[Path]:
    """Write the set into the folder ``out``, which is there; returns the files of the format.

    Raises:
        UnknownName, MissingExtra: of the format.
        OutputConflict: ``out`` is the set or holds it.
        MissingFile, BadLabel: of a pair.
    """
    check_apart(dataset, out)
    return find_format(name).write(dataset, out)
