"""Makes a film's frames as pairs in a folder, one after the other, and goes on where it stopped."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from afterscene.errors import BadParameter
from afterscene.gbd.build import PairMaker
from afterscene.gbd.film import Film
from afterscene.gbd.generator import Generator
from afterscene.gbd.pair import Rendering
from afterscene.gbd.plan import Item, Plan
from afterscene.gbd.runs import RunOptions, RunReport, run_plan
from afterscene.gbd.sources import check_sources, digest, hashes, read_source
from afterscene.geodata.leftout import LeftOut

MOST_FRAMES = 1000


def frames_plan(plan: Plan, frames: int) -> Plan:
    """The frames of the one pair of ``plan`` as pairs of their own, in order.

    Raises:
        BadParameter: fewer than two frames, too many, or more than one image.
    """
    if not 2 <= frames <= MOST_FRAMES:
        raise BadParameter(f"a film of {frames} frames cannot be made; give 2 to {MOST_FRAMES}")
    if plan.count != 1:
        raise BadParameter(f"a film shows one image, but {plan.count} are given; give one")
    (item,) = plan.items

    def items() -> Iterator[Item]:
        for number in range(frames):
            yield replace(item, name=f"{item.name}-f{number:03d}", frame=(number, frames))

    return Plan.of(items, frames, {**plan.settings, "frames": frames})


@dataclass(frozen=True)
class FrameMaker:
    """``maker(item)`` writes the files of a frame and returns its manifest row."""

    out: Path
    generator: Generator
    rendering: Rendering
    whole: Item
    frames: int

    def __call__(self, item: Item) -> Mapping[str, Any]:
        assert item.frame is not None
        film = self.film
        writer = PairMaker(self.out, self.generator, self.rendering, flat=True)
        return writer.write(item, film.scene, film.label, film.post(item.frame[0]))

    @cached_property
    def film(self) -> "Film":
        """The film; nothing of it is drawn before a frame is asked for."""
        source = read_source(self.whole.source)
        return Film(self.whole, *source, self.rendering, self.generator, self.frames)


def make_film(
    plan: Plan,
    out: Path,
    generator: Generator,
    *,
    rendering: Rendering,
    options: RunOptions,
    frames: int,
) -> RunReport:
    """Make the frames of the one pair of ``plan`` that are not in the folder ``out`` yet, as pairs.

    Raises:
        BadParameter: see :func:`frames_plan`.
        OutputConflict: ``out`` holds a run with other settings; the message names the keys.
        AftersceneError: the source cannot be used; the class says why.
    """
    film = frames_plan(plan, frames)
    (whole,) = plan.items
    left_out = LeftOut()
    check_sources([whole.source], "fail", {}, left_out)
    settings = {**film.settings, "sources": digest(hashes([whole.source]))}
    report = run_plan(
        replace(film, settings={**settings, **rendering.settings(generator.hash)}),
        out,
        kind="film",
        make=FrameMaker(out, generator, rendering, whole, frames),
        options=options,
        bad={},
    )
    return replace(report, left_out=left_out)
