"""Sets of pairs: those that the studio built, and folders that the command was given."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from afterscene.gbd.dataset import Dataset
from afterscene.gbd.rundir import MANIFEST
from afterscene.gbd.stats import stats
from afterscene.geodata.scene import read_scene
from afterscene.pages.gbd_page import write_stats
from afterscene.pages.pictures import jpeg, marked, no_larger
from afterscene.studio.jobs import Job, Line
from afterscene.studio.scenes import SIDE
from afterscene.studio.store import NotThere
from afterscene.studio.work import RUN

PAGE = 12
"""Pairs on a page."""
SMALL = 320
OPEN = 4
"""Manifests that stay in memory."""


@dataclass(frozen=True, kw_only=True)
class SetFilter:
    """Which pairs are shown; "" is all."""

    hazard: str = ""
    level: str = ""
    region: str = ""

    def __call__(self, row: Mapping[str, Any]) -> bool:
        return (
            self.hazard in ("", row["hazard"])
            and self.region in ("", row.get("region", ""))
            and (not self.level or row.get("levels", {}).get(self.level, 0) > 0)
        )


@dataclass(frozen=True)
class Sets:
    """The sets that can be looked at: ``folders`` and the builds of a line."""

    line: Line
    folders: Sequence[Path] = ()
    _open: "OrderedDict[str, Dataset]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def listed(self) -> list[dict[str, Any]]:
        """All sets with their state; the numbers of builds are those of their jobs."""
        given = [
            {"id": number, "name": path.name, "state": "done", "built": False}
            for number, path in self._given().items()
        ]
        return given + [
            {"id": job.id, "name": job.asked["name"], "state": job.state, "built": True}
            for job in self._builds()
        ]

    def shown(self, number: str) -> dict[str, Any]:
        """What the filters of a set are."""
        rows = self._dataset(number).rows
        levels = {level for row in rows for level in row.get("levels", {})}
        return {
            "pairs": len(rows),
            "hazards": sorted({row["hazard"] for row in rows}),
            "levels": sorted(levels),
            "regions": sorted({row["region"] for row in rows if row.get("region")}),
        }

    def pairs(self, number: str, chosen: SetFilter, first: int) -> dict[str, Any]:
        """One page of the pairs that were chosen."""
        rows = [(k, r) for k, r in enumerate(self._dataset(number).rows) if chosen(r)]
        keys = ("id", "hazard", "severity", "region", "levels", "say")
        shown = [
            {"number": k, **{key: row[key] for key in keys if key in row}}
            for k, row in rows[first : first + PAGE]
        ]
        return {"count": len(rows), "pairs": shown, "more": first + PAGE < len(rows)}

    def picture(self, number: str, pair: int, when: str, large: bool) -> bytes:
        """The pre or post image of a pair as a JPEG; a synthetic one is marked."""
        dataset, side = self._dataset(number), SIDE if large else SMALL
        if not 0 <= pair < len(dataset) or when not in ("pre", "post"):
            raise NotThere(f"the set has no picture {pair} {when[:10]!r}")
        entry = dataset.entry(dataset.rows[pair])
        path = entry.pre if when == "pre" else entry.post
        if path is None:
            raise NotThere(f"pair {entry.id} has no pre image")
        with self._lock:  # one picture in memory at a time
            rgb = no_larger(read_scene(path).rgb(), side)
        return jpeg(marked(rgb) if when == "post" and entry.synthetic else rgb, side)

    def statistics(self, number: str) -> Path:
        """The page of `gbd stats` about a set."""
        dataset = self._dataset(number)
        out = self.line.store.root / "pages" / number
        with self._lock:
            if not (out / "stats.html").is_file():
                out.mkdir(parents=True, exist_ok=True)
                write_stats(dataset, stats(dataset), out)
        return out / "stats.html"

    def _given(self) -> dict[str, Path]:
        return {hashlib.sha256(str(p.resolve()).encode()).hexdigest()[:32]: p for p in self.folders}

    def _builds(self) -> list[Job]:
        jobs = [job for job in self.line.all() if job.kind == "build"]
        return sorted(jobs, key=lambda job: job.order)

    def _dataset(self, number: str) -> Dataset:
        root = self._given().get(number)
        if root is None:
            job = self.line.find(number)
            root = self.line.folder(job) / RUN
            if job.kind != "build" or not (root / MANIFEST).is_file():
                raise NotThere("the set is not finished")
        with self._lock:
            if number not in self._open:
                self._open[number] = Dataset(root)
            self._open.move_to_end(number)
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
            return self._open[number]
