"""Footprint files in a zip, as agencies hand them out: the one with the buildings is unpacked.

Members are chosen by us, unpacked under their own last name into a folder of this call, and read by
the reader of their kind; what their paths say is never followed. Size, number and ratio are looked
at first.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from afterscene.errors import BadRegions
from afterscene.files import left_by_system
from afterscene.geodata.mapped.layers import choose_layer
from afterscene.geodata.mapped.packed import PIECE
from afterscene.geodata.mapped.rows import UNPACKED

MOST_MEMBERS = 10_000
SPARE = 2**28
"""Bytes that a member may have at any ratio: tables of a Shapefile are mostly blanks."""
_BESIDE_SHP = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@contextmanager
def unpacked(
    path: Path, layer: str | None, is_known: Callable[[str], bool]
) -> Iterator[tuple[Path, str | None]]:
    """A file of the archive on the disk, and the layer of it that is meant, if one is named.

    Args:
        path: The zip.
        layer: The name of a member, or a layer of the only member.
        is_known: Whether a name is that of a footprint file.

    Raises BadRegions.
    """
    try:
        with zipfile.ZipFile(path) as archive, TemporaryDirectory() as folder:
            member, rest = _choose(path, archive, layer, is_known)
            for beside in _beside(archive, member):
                _unpack(path, archive, beside, Path(folder))
            yield Path(folder) / _last(member.filename), rest
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadRegions(f"{path}: is not an intact zip file ({error}); fetch it again") from error


def _choose(
    path: Path, archive: zipfile.ZipFile, layer: str | None, is_known: Callable[[str], bool]
) -> tuple[zipfile.ZipInfo, str | None]:
    """The member to read, and the layer in it."""
    if len(archive.infolist()) > MOST_MEMBERS:
        raise BadRegions(f"{path}: holds more than {MOST_MEMBERS:,} files; unpack it")
    found = {m.filename: m for m in archive.infolist() if _is_meant(m) and is_known(m.filename)}
    if not found:
        raise BadRegions(
            f"{path}: contains no footprint file of a supported format; unpack it and look"
        )
    names = {name: _last(name) for name in found}
    wanted = next((n for n, short in names.items() if layer in (n, short, Path(short).stem)), None)
    if wanted is not None and len(found) > 1:
        return found[wanted], None
    if len(found) == 1:
        (only,) = found.values()
        return only, None if wanted is not None else layer
    stems = {Path(short).stem: name for name, short in names.items()}
    chosen = choose_layer(path, dict.fromkeys(stems, "POLYGON"), layer)
    return found[stems[chosen]], None


def _is_meant(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    return not member.is_dir() and not any(p.startswith(".") or left_by_system(p) for p in parts)


def _last(name: str) -> str:
    """The last part of a member's name, its ending in lower case."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return f"{Path(last).stem}{Path(last).suffix.lower()}"


def _beside(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> list[zipfile.ZipInfo]:
    """The member, with the other parts of a Shapefile."""
    stem, dot, end = member.filename.rpartition(".")
    if f".{end}".lower() != ".shp":
        return [member]
    parts = {f"{stem}{dot}{e[1:]}".casefold() for e in _BESIDE_SHP}
    return [m for m in archive.infolist() if m.filename.casefold() in parts]


def _unpack(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """Write a member into the folder, up to the size that an honest one has."""
    most = UNPACKED * member.compress_size + SPARE
    written = 0
    with archive.open(member) as source, (folder / _last(member.filename)).open("wb") as file:
        while piece := source.read(PIECE):
            written += len(piece)
            if written > most:
                raise BadRegions(
                    f"{path}: {member.filename[:80]} unpacks to more than {UNPACKED} times its "
                    "size; fetch it again"
                )
            file.write(piece)
