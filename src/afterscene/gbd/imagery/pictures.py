"""Which pictures there are to draw disasters on: files below a folder, in the order of their names.

The event of a picture (what xBD calls a disaster, here the place) is the folder it lies in. Names
become plain: they turn into file names. What is plainly an after picture is left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from afterscene.errors import MissingFile
from afterscene.files import visible
from afterscene.geodata.imagefiles import SUFFIXES

_POST = re.compile(r"(^|[_-])post([_-]|$)|post_disaster", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False)
class SourcePicture:
    """A picture of any size. ``name`` says where it is from, without a path of this machine."""

    path: Path
    event: str
    name: str
    time: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def plain(name: str) -> str:
    """The name with letters, digits, dots and dashes alone; never empty, never a hidden file."""
    kept = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:60].strip("-.")
    return kept or "place"


def pictures_in(folder: Path) -> list[SourcePicture]:
    """The PNG, JPEG and TIFF files below a folder.

    Raises:
        MissingFile: it is no folder, or holds no picture.
    """
    if not folder.is_dir():
        raise MissingFile(f"{folder} is not a folder; give one with GeoTIFF, PNG or JPEG files")
    root = folder.resolve()
    found = []
    for path in visible(folder, deep=True):
        if path.suffix.lower() not in SUFFIXES:
            continue
        if _POST.search(path.stem) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root):
            raise MissingFile(f"{path}: leads out of {folder}; put the file itself there")
        event = path.parent.name if path.parent != folder else root.name
        name = path.relative_to(folder).as_posix()
        found.append(SourcePicture(path=path, event=plain(event), name=name))
    if not found:
        raise MissingFile(
            f"{folder} holds no pre image; give a folder with GeoTIFF, PNG or JPEG files (names "
            "with post_ or _post are taken for after images)"
        )
    return found
