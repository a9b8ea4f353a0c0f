"""Finds the images to draw disasters on: files below a folder, in the order of their names.

The event of a picture (what xBD calls a disaster, here the place) is the folder it lies in. Names
become plain: they turn into file names. What a name or folder says is an after picture is left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from afterscene.errors import MissingFile
from afterscene.files import visible
from afterscene.geodata.imagefiles import SUFFIXES
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.roles import Rule, Taken, taken


@dataclass(frozen=True, kw_only=True, eq=False)
class SourcePicture:
    """An image of any size. ``name`` says where it is from, without a path of this machine.

    ``bands``: what a catalogue calls its bands.
    """

    path: Path
    event: str
    name: str
    time: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    bands: tuple[str, ...] = ()

    @property
    def file(self) -> ImageFile:
        """Its file, to be read in parts."""
        return ImageFile(self.path, self.bands)


def plain(name: str) -> str:
    """The name with letters, digits, dots and dashes only; never empty, never a hidden file."""
    kept = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:60].strip("-.")
    return kept or "place"


def roles_in(folder: Path, rules: Sequence[Rule] = ()) -> dict[Path, Taken]:
    """What each PNG, JPEG and TIFF file below a folder is taken for, and why.

    By the user's rules, else by :mod:`afterscene.geodata.roles`.

    Raises:
        MissingFile: it is not a folder.
        BadParameter: a rule fits no file.
    """
    if not folder.is_dir():
        raise MissingFile(f"{folder} is not a folder; give one with GeoTIFF, PNG or JPEG files")
    files = [p for p in visible(folder, deep=True) if p.suffix.lower() in SUFFIXES and p.is_file()]
    found = taken([path.relative_to(folder) for path in files], rules)
    return dict(zip(files, found, strict=True))


def pictures_in(folder: Path, roles: Mapping[Path, Taken] | None = None) -> list[SourcePicture]:
    """The pre images among the files of :func:`roles_in`.

    Raises:
        MissingFile: it is not a folder, or has no pre image.
    """
    files = roles_in(folder) if roles is None else roles
    root, found = folder.resolve(), []
    for path, role in files.items():
        if role.role == "post":
            continue
        if not path.resolve().is_relative_to(root):
            raise MissingFile(f"{path} is a link to outside {folder}; put the file itself there")
        event = path.parent.name if path.parent != folder else root.name
        name = path.relative_to(folder).as_posix()
        found.append(SourcePicture(path=path, event=plain(event), name=name))
    if not found:
        why = "post images by their names or folders; --role pre=PATTERN names pre images"
        posts = f" ({len(files)} are {why})" if files else ""
        raise MissingFile(
            f"{folder} contains no pre image{posts}; give a folder with GeoTIFF, PNG or JPEG files"
        )
    return found
