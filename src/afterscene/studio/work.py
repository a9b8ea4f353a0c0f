"""What the jobs do, with the functions of the commands and nothing of their own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from afterscene import gbd, samples
from afterscene.detectors import Detector, load_assessor
from afterscene.files import write_atomic, write_json
from afterscene.gbd.dataset import Dataset
from afterscene.generators import BridgeGenerator
from afterscene.geodata.damage import LEVEL_WORDS, Building
from afterscene.geodata.scene import read_scene
from afterscene.pages.assessed import assess_files
from afterscene.pages.pictures import jpeg, marked, no_larger
from afterscene.studio.asked import AskedAftermath, AskedAssessment, AskedBuild, AskedJob
from afterscene.studio.jobs import Job, Line
from afterscene.studio.scenes import SIDE, open_source
from afterscene.studio.store import Store

RUN, ABOUT = "run", "about.json"


@dataclass(frozen=True)
class Worker:
    """Does the jobs of a store. The models are loaded once, before the first."""

    store: Store

    @cached_property
    def generator(self) -> gbd.Generator:
        """The shipped generator."""
        return gbd.load_generator()

    @cached_property
    def assessor(self) -> tuple[Detector, str]:
        """The shipped detector and its name."""
        return load_assessor()

    def ready(self) -> None:
        """Load what every job needs."""
        _ = self.generator, self.assessor

    def __call__(self, job: Job, folder: Path, line: Line) -> None:
        """Do a job. Raises AftersceneError, Stopped."""
        asked: Any = TypeAdapter(AskedJob).validate_python(dict(job.asked))
        doers: dict[type, Callable[..., None]] = {
            AskedAftermath: self._aftermath,
            AskedAssessment: self._assess,
            AskedBuild: self._build,
        }
        doers[type(asked)](asked, folder, line)

    def _watched(self, line: Line) -> gbd.Generator:
        """The generator, whose steps are shown and can be stopped, if it is one of ours."""

        def watch(picture: np.ndarray, step: int) -> None:
            line.tell(step=step, picture=no_larger(picture, SIDE))

        if isinstance(self.generator, BridgeGenerator):
            return replace(self.generator, watch=watch)
        return self.generator

    def _aftermath(self, asked: AskedAftermath, folder: Path, line: Line) -> None:
        line.tell(total=1)
        opened = open_source(self.store.source(asked.scene))
        rendering = gbd.Rendering(mode=asked.mode, steps=asked.steps)
        plan = opened.plan(asked, self.store)
        gbd.build(plan, folder / RUN, self._watched(line), rendering=rendering)
        made = Dataset(folder / RUN)
        (entry,) = made
        assert entry.pre is not None
        pre, post = (read_scene(path).rgb() for path in (entry.pre, entry.post))
        line.tell()
        found = self.assessor[0].building_levels(pre, post, entry.label.buildings)
        about = {
            "hazard": entry.row["hazard"],
            "judge": self.assessor[1],
            "buildings": _table(entry.label.buildings, found),
            "row": entry.row,
        }
        write_atomic(folder / "pre.jpg", jpeg(pre, SIDE))
        write_atomic(folder / "post.jpg", jpeg(marked(no_larger(post, SIDE)), SIDE))
        write_json(folder / ABOUT, about)

    def _assess(self, asked: AskedAssessment, folder: Path, line: Line) -> None:
        pre, post = (self.store.upload(n, "scene") for n in (asked.pre, asked.post))
        footprints = self.store.upload(asked.footprints, "buildings")
        detector, name = self.assessor

        def begin(total: int) -> Callable[[int], None]:
            line.tell(total=total)
            return lambda done: line.tell(done=done)

        out = folder / "damage.gpkg"
        made = assess_files(lambda: detector, pre, post, footprints, out, source=name, begin=begin)
        write_json(folder / ABOUT, {"counts": made.counts, "left_out": made.left_out.lines()})

    def _build(self, asked: AskedBuild, folder: Path, line: Line) -> None:
        known = gbd.find_sources(samples.folder())
        sources = [self.store.source(asked.scene)] if asked.scene else known
        line.tell(total=asked.count)
        options = gbd.RunOptions(on_progress=lambda n: line.tell(done=n, may_step_aside=True))
        rendering = gbd.Rendering(mode=asked.mode)
        plan = gbd.draw_plan(sources, asked.config())
        gbd.build(plan, folder / RUN, self._watched(line), rendering=rendering, options=options)
        write_json(folder / ABOUT, {"name": asked.name, "pairs": asked.count})


def _table(buildings: tuple[Building, ...], found: np.ndarray) -> list[dict[str, Any]]:
    """A row for each building: the level that was asked, and what the judge sees."""
    return [
        {
            "uid": building.uid,
            "asked": building.level.word if building.level else None,
            "found": LEVEL_WORDS[int(chances.argmax())],
            "chance": round(float(chances.max()), 3),
        }
        for building, chances in zip(buildings, found, strict=True)
    ]
