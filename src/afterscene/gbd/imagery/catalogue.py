"""Images of a STAC catalogue on disk, such as a part of Maxar Open Data.

Maxar's catalogue has one collection per event, below it one per acquisition, below that items with
the assets ``visual`` (a COG in colour), ``data-mask`` and raw bands. Here the event is the child of
the root, the image is the asset ``visual``, else the first with the role visual or data; its
``bands`` (or ``eo:bands``) say which are red, green and blue where the file does not. pystac
migrates STAC of any version to the current one. Only local files below the catalogue's folder are
opened: a link to somewhere else, or to a server, is refused (download the files first).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from afterscene.errors import BadRegions, MissingExtra, MissingFile
from afterscene.gbd.imagery.pictures import SourcePicture, plain
from afterscene.geodata.imagefiles import SUFFIXES
from afterscene.geodata.labeljson import load_json

if TYPE_CHECKING:
    import pystac

DEEPEST = 8
"""Largest depth of nested catalogues; Maxar's has three levels."""
_KEPT = {
    "gsd": "gsd",
    "view:off_nadir": "off_nadir_angle",
    "view:sun_azimuth": "sun_azimuth",
    "view:sun_elevation": "sun_elevation",
    "catalog_id": "catalog_id",
    "platform": "sensor",
}
"""STAC properties and their names in xBD."""


def pictures_of_catalogue(catalogue: Path, before: datetime | None = None) -> list[SourcePicture]:
    """The images of all items by item id; with ``before`` (UTC) only those taken earlier.

    Raises:
        MissingFile, BadLabel: a file is not there, or not JSON.
        BadRegions: it is not STAC, links to outside the folder or to a server, or has no image.
        MissingExtra: without the extra ``geo``.
    """
    try:
        import pystac  # noqa: F401 - asked for before anything is read
    except ImportError as error:
        raise MissingExtra(
            f"{catalogue}: STAC needs pystac, which is not installed; install it with: "
            'pip install "afterscene[geo]"'
        ) from error
    walk = _Walk(root=catalogue.resolve().parent)
    if not catalogue.is_file():
        raise MissingFile(f"{catalogue}: there is no such file; give the catalogue's catalog.json")
    found, late = [], 0
    for path, event, item in walk.items(catalogue, "", 0):
        if before is not None and (item.datetime is None or _utc(item.datetime) >= before):
            late += 1
            continue
        found.append(_picture(walk, path, event, item))
    if not found:
        why = f"; {late} items were taken later, or have no time" if late else ""
        raise BadRegions(f"{catalogue} has no image{why}; give another catalogue or time")
    return sorted(found, key=lambda picture: (picture.event, picture.name))


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """One traversal of a catalogue, each file once."""

    root: Path
    seen: set[Path] = field(default_factory=set)

    def items(self, path: Path, event: str, depth: int) -> Iterator[tuple[Path, str, Any]]:
        """(file, event, item) of this file and all below."""
        if depth > DEEPEST:
            raise BadRegions(
                f"{path} is nested in more than {DEEPEST} catalogues; give a part of it"
            )
        if (real := path.resolve()) in self.seen:
            return
        self.seen.add(real)
        document = load_json(path)
        if document.get("type") == "Feature":
            yield path, event or self.root.name, _item(path, document)
            return
        if not isinstance(document.get("stac_version"), str):
            raise BadRegions(f"{path} is not a STAC catalogue; give the file catalog.json")
        name = event or ("" if depth == 0 else str(document.get("id", "")))
        for href in _links(path, document):
            yield from self.items(self.inside(path, href), name, depth + 1)

    def inside(self, path: Path, href: str) -> Path:
        """The file that a link in ``path`` points to. Raises BadRegions, MissingFile."""
        parts = urlsplit(href)
        if parts.scheme in ("http", "https", "s3", "ftp") or parts.netloc:
            raise BadRegions(
                f"{path} links to {href[:120]}; download the catalogue with its files first (for "
                "instance with `aws s3 sync --no-sign-request`), then give the copy"
            )
        if parts.scheme not in ("", "file") or "\0" in href:
            raise BadRegions(f"{path}: link {href[:120]!r} is not a path; correct the catalogue")
        target = path.parent / unquote(parts.path)
        try:
            inside = target.resolve().is_relative_to(self.root)
            there = inside and target.is_file()
        except OSError as error:
            raise BadRegions(
                f"{path}: link {href[:120]!r} is not a path ({error.strerror}); correct it"
            ) from error
        if not inside:
            raise BadRegions(
                f"{path}: link {href[:120]!r} leaves the catalogue's folder; correct it"
            )
        if not there:
            raise MissingFile(f"{path} names {href[:120]!r}, which is missing; download it too")
        return target


def _links(path: Path, document: dict[str, Any]) -> list[str]:
    links = document.get("links")
    if not isinstance(links, list):
        raise BadRegions(f"{path} has no list of links; correct the catalogue")
    wanted = [k for k in links if isinstance(k, dict) and k.get("rel") in ("child", "item")]
    hrefs = [k.get("href") for k in wanted]
    if not all(isinstance(href, str) and href for href in hrefs):
        raise BadRegions(f"{path}: a link has no href; correct the catalogue")
    return [str(href) for href in hrefs]


def _item(path: Path, document: dict[str, Any]) -> "pystac.Item":
    import pystac

    try:
        return pystac.Item.from_dict(document, preserve_dict=False, migrate=True)
    except Exception as error:
        raise BadRegions(
            f"{path} is not a usable STAC item ({type(error).__name__}: {str(error)[:120]}); "
            "correct it"
        ) from error


def _picture(walk: _Walk, path: Path, event: str, item: "pystac.Item") -> SourcePicture:
    assets = list(item.assets.values())
    visual = [item.assets["visual"]] if "visual" in item.assets else []
    roles = [a for a in assets if {"visual", "data"} & set(a.roles or ())]
    for asset in (*visual, *roles):
        if Path(urlsplit(str(asset.href)).path).suffix.lower() in SUFFIXES:
            break
    else:
        raise BadRegions(
            f"{path} has neither an asset `visual` nor an image with the role data; add one"
        )
    said = item.properties
    metadata = {ours: said[theirs] for theirs, ours in _KEPT.items() if _plain(said.get(theirs))}
    if isinstance(licence := said.get("license"), str):
        metadata["licence"] = licence
    return SourcePicture(
        path=walk.inside(path, str(asset.href)),
        event=plain(event),
        name=str(item.id)[:200],
        time=None if item.datetime is None else _utc(item.datetime),
        metadata=metadata,
        bands=_bands(asset.extra_fields) or _bands(said),
    )


def _bands(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What STAC calls each band: its colour, else its wavelength, else its name."""
    listed = fields.get("bands") or fields.get("eo:bands")
    if not isinstance(listed, list) or not all(isinstance(band, dict) for band in listed):
        return ()
    return tuple(_band(band) for band in listed)


def _band(band: Mapping[str, Any]) -> str:
    for key in ("eo:common_name", "common_name"):
        if isinstance(colour := band.get(key), str) and colour:
            return colour
    for key in ("eo:center_wavelength", "center_wavelength"):
        if isinstance(length := band.get(key), int | float):
            return f"{1000 * length:g} nm"
    return str(band.get("name") or band.get("description") or "")


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
