"""A folder of xBD: which pre image belongs to which post image, labels and target.

Names are ``{event}_{8 digits}_{pre|post}_disaster`` (Gupta et al. 2019, arXiv 1911.09296) under
``images/``, ``labels/`` and ``targets/`` (or ``masks/``), either at the root or below one folder
per split (``train/images`` ...). A ``splits.json`` at the root, ``{"train": [ids], ...}``, names
splits over a flat tree. Only names are looked at here: reading is lazy, order is by id.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from afterscene.errors import BadLabel, MissingFile, UnknownName
from afterscene.files import visible
from afterscene.geodata.fit import LngLatFit, fit_lnglat
from afterscene.geodata.georeference import make_label
from afterscene.geodata.imagefiles import SUFFIXES
from afterscene.geodata.label import METADATA_FIELDS, XbdLabel, write_label
from afterscene.geodata.labeljson import load_json
from afterscene.geodata.labelreading import read_label
from afterscene.geodata.leaks import Fingerprint
from afterscene.geodata.leftout import NO_PRE, UNNAMED, LeftOut

__all__ = [
    "EVENTS",
    "METADATA_FIELDS",
    "LngLatFit",
    "Pair",
    "XbdLabel",
    "XbdTree",
    "fit_lnglat",
    "make_label",
    "read_label",
    "write_label",
]

EVENTS = (
    *("guatemala-volcano", "hurricane-florence", "hurricane-harvey", "hurricane-matthew"),
    *("hurricane-michael", "joplin-tornado", "lower-puna-volcano", "mexico-earthquake"),
    *("midwest-flooding", "moore-tornado", "nepal-flooding", "palu-tsunami", "pinery-bushfire"),
    *("portugal-wildfire", "santa-rosa-wildfire", "socal-fire", "sunda-tsunami"),
    *("tuscaloosa-tornado", "woolsey-fire"),
)
"""The 19 events of xBD; :func:`afterscene.hazards.hazard_of` tells the hazard of each."""

_NAME = re.compile(r"(?P<id>.+_[^_]+)_(?P<when>pre|post)_disaster")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The files of one tile. `id` is ``hurricane-michael_00000019``; `target` is the post one."""

    id: str
    event: str
    pre: Path
    post: Path | None = None
    pre_label: Path | None = None
    post_label: Path | None = None
    target: Path | None = None

    @property
    def labelled(self) -> bool:
        """Whether a file tells the levels after the event."""
        return self.post_label is not None or self.target is not None

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """What the leak guard compares."""
        label = self.pre_label or self.post_label
        return Fingerprint(id=self.id, picture=self.pre, place=label)


class XbdTree:
    """The pairs below `root`. Raises MissingFile where there are no images."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        below = [self.root, *(p for p in visible(self.root) if p.is_dir())]
        self._folders = {
            p.name if p != self.root else "": p for p in below if (p / "images").is_dir()
        }
        if not self._folders:
            raise MissingFile(
                f"{self.root} holds no images/ folder, nor does a folder in it; give the root of "
                "an xBD tree (images/ and labels/)"
            )
        listing = self.root / "splits.json"
        self._splits = _read_splits(listing) if listing.is_file() else {}

    @property
    def splits(self) -> tuple[str, ...]:
        """Names that :meth:`pairs` takes."""
        return tuple(sorted({*self._splits, *self._folders} - {""}))

    def pairs(self, split: str | None = None, left_out: LeftOut | None = None) -> list[Pair]:
        """All pairs, or those of a split, sorted by id. Raises UnknownName, MissingFile.

        A post image without its pre image, and one of another name, is left out and counted.
        """
        count = LeftOut() if left_out is None else left_out
        if split is None:
            found = {p.id: p for folder in self._folders.values() for p in _pairs(folder, count)}
        elif split in self._splits:
            known = {p.id: p for f in self._folders.values() for p in _pairs(f, LeftOut())}
            missing = [i for i in self._splits[split] if i not in known]
            if missing:
                raise MissingFile(
                    f"{self.root}: split {split!r} names {missing[0]}, which has no pre image "
                    f"({len(missing)} such); fetch the images or correct splits.json"
                )
            found = {i: known[i] for i in self._splits[split]}
        elif split in self._folders and split:
            found = {p.id: p for p in _pairs(self._folders[split], count)}
        else:
            names = ", ".join(self.splits) or "none"
            raise UnknownName(
                f"{self.root} has no split {split!r}; it has: {names}. Name its tiles in a "
                f'splits.json, {{"{split}": ["event_00000001", ...]}}, or put them below {split}/'
            )
        return [found[i] for i in sorted(found)]


def _read_splits(path: Path) -> dict[str, list[str]]:
    splits = load_json(path)
    for name, ids in splits.items():
        if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids):
            raise BadLabel(f"{path}: split {name!r} is not a list of ids; correct the file")
    return splits


def _pairs(folder: Path, left_out: LeftOut) -> Iterator[Pair]:
    images = _scan(folder / "images", SUFFIXES, left_out=left_out)
    left_out.add(NO_PRE, sum(w == "post" and (tile, "pre") not in images for tile, w in images))
    labels = _scan(folder / "labels", (".json",))
    targets = _scan(folder / "masks", (".png",), "_target") | _scan(
        folder / "targets", (".png",), "_target"
    )
    for (tile, when), path in images.items():
        if when == "pre":
            yield Pair(
                id=tile,
                event=tile.rpartition("_")[0],
                pre=path,
                post=images.get((tile, "post")),
                pre_label=labels.get((tile, "pre")),
                post_label=labels.get((tile, "post")),
                target=targets.get((tile, "post")),
            )


def _scan(
    folder: Path, suffixes: tuple[str, ...], end: str = "", left_out: LeftOut | None = None
) -> dict[tuple[str, str], Path]:
    """(id, pre or post) -> file, of the files that are named after the rule; others are counted."""
    found: dict[tuple[str, str], Path] = {}
    for path in visible(folder):
        if path.suffix.lower() in suffixes and path.stem.endswith(end):
            name = _NAME.fullmatch(path.stem.removesuffix(end))
            if name:
                found.setdefault((name["id"], name["when"]), path)
            elif left_out is not None:
                left_out.add(UNNAMED)
    return found
