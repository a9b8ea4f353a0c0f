"""Selects the sources that a plan may use: apart from evaluation tiles, built-up, with a town."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.errors import BadParameter, MissingExtra
from afterscene.gbd.plan import Source
from afterscene.gbd.sources import find_sources, read_source
from afterscene.geodata import leaks
from afterscene.geodata.distance import distance_km
from afterscene.geodata.leftout import LeftOut
from afterscene.regions import gazetteer

NEAR_KM = 30.0


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The sources, and what was left out.

    Pictures that are not built-up, leaks with the reason, and by count what has no label or no
    building, or is not used of a label.
    """

    sources: tuple[Source, ...]
    left_out: LeftOut = field(default_factory=LeftOut)
    not_built_up: int = 0
    leaks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What was left out, as JSON values."""
        return {
            **({"not_built_up": self.not_built_up} if self.not_built_up else {}),
            **({"leaks": list(self.leaks)} if self.leaks else {}),
        }


def select_sources(
    root: Path,
    split: str | None = None,
    *,
    test: str | None = None,
    apart_from: Path | None = None,
    built_up: float | None = None,
    skip_leaks: bool = False,
) -> Selection:
    """The sources of an xBD folder, each read and checked once.

    Args:
        root: The folder.
        split: Only sources of this split.
        test: No source within a kilometre of a tile of this split, or similar to one.
        apart_from: The same for the tiles of another xBD folder.
        built_up: Smallest probability (0 to 1) of built-up ground by the scene classifier.
        skip_leaks: Leave out and list what would leak into the evaluation, instead of stopping.

    Raises:
        LeakFound: a source is an evaluation tile, is near one or looks like one; with
            ``skip_leaks`` only if no source is left.
        AftersceneError: a source cannot be used; the class says why.
    """
    if built_up is not None and not 0 <= built_up <= 1:
        raise BadParameter(f"built-up {built_up:g} is not a probability; give 0 to 1")
    evaluation = find_sources(root, test) if test is not None else ()
    if apart_from is not None:
        evaluation = (*evaluation, *find_sources(apart_from))
    left_out = LeftOut()
    found = find_sources(root, split, left_out)
    prints, held_out = ([s.fingerprint for s in some] for some in (found, evaluation))
    clear, leaking = leaks.apart(prints, held_out, skip=skip_leaks)
    kept = _usable([found[i] for i in clear], built_up, left_out)
    return Selection(
        sources=_with_regions(kept),
        left_out=left_out,
        not_built_up=len(clear) - len(kept),
        leaks=tuple(leaking),
    )


def _usable(sources: Sequence[Source], built_up: float | None, left_out: LeftOut) -> list[Source]:
    """The sources, each read once, that the scene classifier finds built-up with that chance."""
    if built_up is None:
        for source in sources:
            left_out.take(read_source(source)[1].left_out)
        return [*sources]
    from afterscene.regions.scenes import load_scenes

    classifier = load_scenes()
    kept = [s for s in sources if classifier.built_up(read_source(s)[0]) >= built_up]
    if not kept:
        raise BadParameter(
            f"none of {len(sources)} images is built-up with a probability of {built_up:g}; give "
            "a smaller value"
        )
    return kept


def _with_regions(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Each source with the nearest town within :data:`NEAR_KM`.

    None without the extra ``geo``, or without coordinates.
    """
    try:
        towns = gazetteer()
    except MissingExtra:
        return tuple(sources)
    lng, lat = np.array([(town.lng, town.lat) for town in towns]).T
    named = []
    for source in sources:
        place = source.fingerprint.middle
        far = distance_km(*place, lng, lat) if place else np.array([np.inf])
        town = towns[int(far.argmin())] if far.min() <= NEAR_KM else None
        named.append(replace(source, region=f"{town.name}, {town.country}") if town else source)
    return tuple(named)
