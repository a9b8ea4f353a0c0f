"""The folder of the studio: uploads, scenes, jobs and sets, each under a number.

::

    ROOT/token                     what a browser needs to be let in
    ROOT/uploads/{id}/             scene.tif or buildings.gpkg, and about.json with the user's name
    ROOT/scenes/{id}.json          which sample, or which two uploads
    ROOT/jobs/{id}/                job.json and what the job made

A number has 128 random bits: who was not given it cannot find the file. A client names files by
number alone; the name that a file had at the user is text that is shown, never part of a path.
"""

import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from afterscene import gbd, samples
from afterscene.errors import AftersceneError, BadImage, BadParameter, MissingFile, UnknownName
from afterscene.files import prepare_output, visible, write_json
from afterscene.geodata.imagefiles import SUFFIXES, sniff

FOOTPRINTS = (".json", ".geojson", ".gpkg", ".parquet", ".geoparquet", ".fgb", ".kml", ".csv")
LARGEST = 256 << 20
"""Bytes of an upload."""
ROOM = 8 << 30
"""Bytes of all uploads; the oldest are removed."""
_NUMBER = re.compile(r"[0-9a-f]{32}")


def new_number() -> str:
    """128 random bits as text."""
    return secrets.token_hex(16)


def is_number(text: str) -> bool:
    """Whether it looks like one of ours."""
    return _NUMBER.fullmatch(text) is not None


class NotThere(AftersceneError):
    """There is nothing with that number; it was removed, or never was."""


class TooMuch(AftersceneError):
    """An upload is too large, or too many jobs wait."""


@dataclass(frozen=True)
class Store:
    """The folder ``root``, which belongs to the studio alone. :meth:`open` makes it."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> "Store":
        """The folder, made if it is missing. Raises OutputConflict: it holds something else."""
        prepare_output(root, "studio", run={"layout": 1})
        for name in ("uploads", "scenes", "jobs"):
            (root / name).mkdir(exist_ok=True)
        return cls(root)

    @property
    def token(self) -> str:
        """What lets a browser in; the same after a restart. Only its owner can read the file."""
        path = self.root / "token"
        if not path.is_file():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(24))
        return path.read_text().strip()

    def place(self, kind: str, number: str) -> Path:
        """The path of a thing that is there. Raises NotThere."""
        path = self.root / kind / (f"{number}.json" if kind == "scenes" else number)
        if not is_number(number) or not path.exists():
            raise NotThere(f"there is nothing with the number {number[:40]!r}; it may be too old")
        return path

    def begin_upload(self, name: str) -> tuple[str, Path]:
        """(number, path) of a new upload with the user's name. Raises BadParameter: its ending."""
        suffix = PurePath(name).suffix.lower()
        if suffix not in (*SUFFIXES, *FOOTPRINTS):
            raise BadParameter(
                f"a file that ends in {suffix!r} is not taken; give one of "
                f"{', '.join((*SUFFIXES, *FOOTPRINTS))}"
            )
        self._make_room()
        number = new_number()
        folder = self.root / "uploads" / number
        folder.mkdir()
        stem = "scene" if suffix in SUFFIXES else "buildings"
        return number, folder / f"{stem}{suffix}"

    def end_upload(self, number: str, path: Path, name: str) -> dict[str, Any]:
        """What is known of a complete upload. Raises BadImage: it is not what its name says."""
        if not path.stat().st_size:
            raise BadImage(f"{name} is empty; export it again")
        if path.suffix in SUFFIXES:
            try:
                sniff(path)
            except BadImage as error:  # about.json does not tell the user's name yet
                raise BadImage(str(error).replace(str(path), name)) from error
        about = {"id": number, "name": name, "bytes": path.stat().st_size, "kind": path.stem}
        write_json(path.parent / "about.json", about)
        return about

    def drop_upload(self, number: str) -> None:
        """Forget an upload."""
        shutil.rmtree(self.root / "uploads" / number, ignore_errors=True)

    def upload(self, number: str, kind: str) -> Path:
        """The file of an upload that is an image (``scene``) or footprints (``buildings``)."""
        path = next((p for p in self.place("uploads", number).iterdir() if p.stem == kind), None)
        if path is None:
            raise BadParameter(f"the upload {number} is no {kind} file; give the other one")
        return path

    def add_scene(self, about: Mapping[str, str]) -> str:
        """The number of a new scene: of a ``sample``, or of ``image`` and ``footprints``."""
        number = new_number()
        write_json(self.root / "scenes" / f"{number}.json", dict(about))
        return number

    def source(self, number: str) -> gbd.Source:
        """The files of a scene, as a build takes them. Raises NotThere."""
        return self.source_of(json.loads(self.place("scenes", number).read_text()))

    def source_of(self, about: Mapping[str, str]) -> gbd.Source:
        """The files that a scene consists of. Raises UnknownName, NotThere, BadParameter."""
        if "sample" not in about:
            image = self.upload(about["image"], "scene")
            return gbd.match_labels([image], [self.upload(about["footprints"], "buildings")])[0]
        known = {source.event: source for source in gbd.find_sources(samples.folder())}
        if about["sample"] not in known:
            raise UnknownName(f"sample {about['sample'][:40]!r} is not known; see /api/samples")
        return known[about["sample"]]

    def readable(self, text: str) -> str:
        """A message with the user's names of files in the place of ours."""

        def name(found: re.Match[str]) -> str:
            about = self.root / "uploads" / found.group(1) / "about.json"
            return str(json.loads(about.read_text())["name"]) if about.is_file() else found.group(2)

        ours = re.escape(str(self.root / "uploads"))
        text = re.sub(rf"{ours}/([0-9a-f]{{32}})/([\w.]+)", name, text)
        return text.replace(f"{self.root}{os.sep}", "").replace(f"{samples.folder()}{os.sep}", "")

    def _make_room(self) -> None:
        """Remove the oldest uploads until another fits."""
        kept = sorted((*_kept(folder), folder) for folder in visible(self.root / "uploads"))
        room = ROOM - LARGEST - sum(size for _, size, _ in kept)
        for _, size, folder in kept:
            if room >= 0:
                break
            shutil.rmtree(folder, ignore_errors=True)
            room += size


def _kept(folder: Path) -> tuple[float, int]:
    """(last change, bytes) of an upload; zeros for one that another request is removing."""
    try:
        return folder.stat().st_mtime, sum(file.stat().st_size for file in visible(folder))
    except (FileNotFoundError, MissingFile):
        return 0.0, 0
