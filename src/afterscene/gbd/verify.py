"""Verifies the folder of a run: each image matches its manifest row, and is marked synthetic.

A row is ``synthetic`` when mark, pixels and target agree, ``tampered`` when a pixel or a mark
differs, ``missing`` when a file is gone, ``faulty`` when all is as it was made, but a level stands
where the picture has no data, so that nothing should learn from the pair. Pixels are hashed, not
bytes, so that the verdict is the same after another PNG encoder or on another machine.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afterscene.errors import AftersceneError
from afterscene.files import pixel_hash
from afterscene.gbd.dataset import pair_file
from afterscene.gbd.pair import MARK
from afterscene.gbd.rundir import read_manifest
from afterscene.geodata.damage import IGNORE, LEVELS
from afterscene.geodata.masks import read_mask
from afterscene.geodata.scene import read_scene, read_tags
from afterscene.geodata.seen import LEAST, seen_shares
from afterscene.geodata.xbd import read_label


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one pair: ``synthetic``, ``tampered``, ``missing``, ``faulty``; and why."""

    id: str
    verdict: str
    reason: str = ""


def verify(out: Path) -> tuple[Verdict, ...]:
    """The verdict on each row of the manifest in ``out``.

    Raises:
        MissingFile: there is no manifest.
    """
    return tuple(_judge(out, row) for row in read_manifest(out))


def _judge(out: Path, row: dict[str, Any]) -> Verdict:
    name = Path(row["id"]).name
    image, label, target = (
        pair_file(out, kind, name, "post") for kind in ("images", "labels", "targets")
    )
    for path in (image, label, target):
        if not path.is_file():
            return Verdict(id=row["id"], verdict="missing", reason=f"{path.name} is not there")
    try:
        reason = _fault(row, image, label, target)
        if not reason and (reason := _unseen(image, label, target)):
            return Verdict(id=row["id"], verdict="faulty", reason=reason)
    except (AftersceneError, ValueError, KeyError, TypeError) as error:
        reason = f"cannot be read ({error})"
    return Verdict(id=row["id"], verdict="tampered" if reason else "synthetic", reason=reason)


def _unseen(image: Path, label: Path, target: Path) -> str:
    """Where a level stands on pixels without data; of black padding only what is wholly on it."""
    scene = read_scene(image)
    levels = read_mask(target)
    if (on_nothing := (levels[~scene.valid] % IGNORE > 0).sum()) > 0:
        return f"{target.name}: has a level on {on_nothing} pixels where the picture has no data"
    known = [b for b in read_label(label).buildings if b.level in LEVELS]
    few = (seen_shares(known, scene.valid) < LEAST) | (seen_shares(known, scene.seen) == 0)
    gone = [b.uid for b, lost in zip(known, few, strict=True) if lost]
    return (
        f"{label.name}: {len(gone)} buildings with a level, such as {gone[0]}, lie where the "
        "picture has no data"
        if gone
        else ""
    )


def _fault(row: dict[str, Any], image: Path, label: Path, target: Path) -> str:
    if pixel_hash(read_scene(image).pixels) != row["pixel_sha256"]:
        return f"{image.name}: the pixels do not match the manifest"
    if pixel_hash(read_mask(target)) != row["target_sha256"]:
        return f"{target.name}: the pixels do not match the manifest"
    for path in (image, target):
        if read_tags(path).get(MARK) != "true":
            return f"{path.name}: the synthetic mark is missing"
    metadata = json.loads(label.read_text(encoding="utf-8"))["metadata"]
    return (
        "" if metadata.get("synthetic") is True else f"{label.name}: the synthetic mark is missing"
    )
