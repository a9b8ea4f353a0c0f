"""Reads a finished set: each manifest row with its files, labels, licence and captions.

Both layouts are read, the tree of ``gbd build`` and the flat folder of ``synthesize`` (which has no
pre images). Pairs are read one at a time, in manifest order. Names come from a manifest that others
may have written: an id that is not a plain file name, and a file that is a link to outside the
folder, are refused. A pair whose label and row disagree on the synthetic mark is refused too, so
that no export contains an image with a wrong mark.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from afterscene.errors import BadLabel, MissingFile, OutputConflict
from afterscene.gbd.captions import captions, facts_of
from afterscene.gbd.licences import Combined, combine, item_licence
from afterscene.gbd.rundir import MANIFEST, read_manifest
from afterscene.geodata.xbd import XbdLabel, read_label

_PLAIN = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One pair of a set. Paths are inside the set; ``pre`` and its label may be None."""

    row: Mapping[str, Any]
    post: Path
    target: Path
    label: XbdLabel
    pre: Path | None
    pre_label: XbdLabel | None
    licence: str

    @property
    def id(self) -> str:
        """The stem of the pair's files."""
        return str(self.row["id"])

    @property
    def synthetic(self) -> bool:
        """The synthetic mark, on which row and label agree."""
        return bool(self.row["synthetic"])

    @property
    def event(self) -> str:
        """The event (place) of the source, such as ``hurricane-michael``."""
        return str(self.row.get("source", "")).rpartition("_")[0] or "unknown"

    @property
    def region(self) -> str:
        """The town nearest to the source, if the plan knew it."""
        found = self.row.get("region", "")
        return found if isinstance(found, str) else ""

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the image: from the label, else from the target."""
        if self.label.shape is not None:
            return self.label.shape
        from PIL import Image

        with Image.open(self.target) as image:
            return image.height, image.width

    @property
    def captions(self) -> tuple[str, ...]:
        """The change described in words (:mod:`afterscene.gbd.captions`)."""
        facts = facts_of(str(self.row["hazard"]), self.label.buildings, self.shape)
        return captions(facts, int(self.row["seed"]))

    def as_json(self) -> dict[str, Any]:
        """The manifest row with licence and captions."""
        return {**self.row, "licence": self.licence, "captions": list(self.captions)}


@dataclass(frozen=True)
class Dataset:
    """The finished run in ``root``. Raises MissingFile if there is no manifest."""

    root: Path

    def __post_init__(self) -> None:
        if not self.rows:
            raise MissingFile(f"{self.root / MANIFEST} lists no pair; build the set first")

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the manifest, each checked. Raises OutputConflict."""
        rows = read_manifest(self.root)
        seen: set[str] = set()
        for row in rows:
            _check_row(self.root / MANIFEST, row)
            if row["id"] in seen:
                raise OutputConflict(
                    f"{self.root / MANIFEST}: pair {row['id']} is listed twice; build the set again"
                )
            seen.add(row["id"])
        return rows

    @cached_property
    def terms(self) -> Combined:
        """The combined licence of all pairs."""
        return combine(entry.licence for entry in self)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Entry]:
        """The pairs in manifest order. Raises MissingFile, BadLabel."""
        return (self.entry(row) for row in self.rows)

    def entry(self, row: Mapping[str, Any]) -> Entry:
        """The pair of one of :attr:`rows`. Raises MissingFile, BadLabel."""
        name = row["id"]
        label = read_label(self._file("labels", name))
        if label.metadata.get("synthetic") is not row["synthetic"]:
            raise BadLabel(
                f"{label.path}: the synthetic mark is {label.metadata.get('synthetic')!r}, but "
                f"{row['synthetic']!r} in the manifest; run `afterscene gbd verify {self.root}`"
            )
        pre_file = self._there("labels", name, "pre")
        pre_label = read_label(pre_file) if pre_file else None
        return Entry(
            row=row,
            post=self._file("images", name),
            target=self._file("targets", name),
            label=label,
            pre=self._there("images", name, "pre"),
            pre_label=pre_label,
            licence=item_licence(row, (pre_label or label).metadata),
        )

    def _there(self, kind: str, name: str, when: str) -> Path | None:
        path = pair_file(self.root, kind, name, when)
        if not path.is_file():
            return None
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise MissingFile(f"{path} is a link to outside the set; put the file itself there")
        return path

    def _file(self, kind: str, name: str) -> Path:
        path = self._there(kind, name, "post")
        if path is None:
            path = pair_file(self.root, kind, name, "post")
            raise MissingFile(
                f"{self.root}: {path.name} is not there; run `afterscene gbd verify {self.root}`"
            )
        return path


def pair_file(root: Path, kind: str, name: str, when: str) -> Path:
    """Path of a file of a pair: ``kind`` is images, labels or targets, ``when`` is pre or post."""
    ends = {"images": ".png", "labels": ".json", "targets": "_target.png"}
    folder = root / kind if (root / "images").is_dir() else root
    return folder / f"{name}_{when}_disaster{ends[kind]}"


def _check_row(path: Path, row: Mapping[str, Any]) -> None:
    name = row["id"]
    if not _PLAIN.fullmatch(name) or name.startswith("."):
        raise OutputConflict(f"{path}: id {name[:60]!r} is not a file name; build the set again")
    kinds: dict[str, Any] = {
        "synthetic": bool,
        "hazard": str,
        "seed": int,
        "source": str,
        "severity": (int, float),
    }
    for key, kind in kinds.items():
        if not isinstance(row.get(key), kind) or (key == "seed" and row[key] < 0):
            raise OutputConflict(
                f"{path}: pair {name}: {key} is {row.get(key)!r}; build the set again"
            )
