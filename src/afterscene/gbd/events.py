"""Events that are larger than a tile: which tiles one disaster affects, and their positions in it.

Sources whose labels have degrees are collected in groups no wider than the hazard's ``reach_km``
and with at most :data:`MOST` tiles, by splitting at the widest gap. An event is a group with a
common seed, severity and fields drawn from the hazard's law; each tile has a position in it
(:class:`afterscene.hazards.site.Site`), so that neighbours agree at their border. A source without
a geographic position is a group of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

import numpy as np

from afterscene.errors import AftersceneError
from afterscene.gbd.plan import Item, Occurrence, PlanConfig, Source, item_seed
from afterscene.gbd.steering import Draw
from afterscene.geodata.georeference import read_label_of
from afterscene.geodata.xbd import fit_lnglat
from afterscene.hazards import HAZARDS
from afterscene.hazards.site import Site

MOST = 12
"""Largest number of tiles in an event, so that one event does not fill a set."""
METRES = 111_195.0
"""A degree of latitude (km) on a sphere with the mean radius of the Earth."""
_SIDE = 1024


@dataclass(frozen=True, kw_only=True)
class _Located:
    """A source and its frame: west, north in degrees, degrees per pixel, (H, W)."""

    source: Source
    west: float
    north: float
    steps: tuple[float, float]
    shape: tuple[int, int]


def _locate(source: Source) -> _Located | None:
    """The position of the source by its label; None if that has no degrees."""
    try:
        label = read_label_of(source.label, source.pre, on_problem="skip")
    except AftersceneError:
        return None  # the fault is reported when the pair is made
    fit = fit_lnglat(label.buildings)
    if fit is None:
        return None
    a, b, c, d, e, f = fit.affine[:6]
    steps = (float(np.hypot(a, b)), float(np.hypot(d, e)))
    return _Located(
        source=source, west=c, north=f, steps=steps, shape=label.shape or (_SIDE, _SIDE)
    )


@dataclass(frozen=True, kw_only=True)
class TileGroup:
    """Tiles that one event affects, each with its site; ``name`` is derived from the tiles."""

    name: str
    tiles: tuple[tuple[Source, Site | None], ...]


def tile_groups(sources: Sequence[Source], reach_km: float) -> list[TileGroup]:
    """All sources in groups, in the order of their names."""
    placed, alone = [], []
    for source in sorted(sources, key=lambda s: s.id):
        found = _locate(source)
        if found is None:
            alone.append(TileGroup(name=source.id, tiles=((source, None),)))
        else:
            placed.append(found)
    parts = _split(placed, reach_km * 1000) if placed else []
    return sorted([*map(_group, parts), *alone], key=lambda group: group.name)


def _split(tiles: list[_Located], reach: float) -> list[list[_Located]]:
    corners = _plane(tiles)
    if len(tiles) == 1 or (len(tiles) <= MOST and float(np.ptp(corners, axis=0).max()) <= reach):
        return [tiles]
    axis = int(np.ptp(corners, axis=0).argmax())
    order = np.argsort(corners[:, axis], kind="stable")
    cut = int(np.diff(corners[order, axis]).argmax()) + 1
    first, last = ([tiles[k] for k in part] for part in (order[:cut], order[cut:]))
    return [*_split(first, reach), *_split(last, reach)]


def _plane(tiles: Sequence[_Located]) -> np.ndarray:
    """(n, 2) metres (x east, y south) of the upper left corners from the first tile's."""
    first = tiles[0]
    scale = np.cos(np.radians(np.mean([t.north for t in tiles])))
    east = [(t.west - first.west + 180) % 360 - 180 for t in tiles]
    south = [first.north - t.north for t in tiles]
    return np.stack([np.array(east) * scale, np.array(south)], axis=1) * METRES


def _group(tiles: list[_Located]) -> TileGroup:
    corners = _plane(tiles)
    corners -= corners.min(axis=0)
    scale = np.cos(np.radians(np.mean([t.north for t in tiles])))
    gsds = [float(np.sqrt(t.steps[0] * scale * t.steps[1])) * METRES for t in tiles]
    sides = np.array([t.shape for t in tiles]) * np.array(gsds)[:, None]
    height, width = (float((corners[:, 1 - k] + sides[:, k]).max()) for k in (0, 1))
    sites = [
        Site(x=float(x), y=float(y), height=height, width=width, gsd=gsd)
        for (x, y), gsd in zip(corners, gsds, strict=True)
    ]
    pairs = sorted(zip((t.source for t in tiles), sites, strict=True), key=lambda pair: pair[0].id)
    return TileGroup(name=f"{pairs[0][0].id}+{len(pairs) - 1}", tiles=tuple(pairs))


def events(sources: Sequence[Source], config: PlanConfig) -> Iterator[Draw]:
    """Endless events, always of the hazard with the fewest pairs so far.

    In each round each group of a hazard gets one event, in an order drawn for the round.
    """
    rounds = {hazard: _rounds(sources, config, hazard) for hazard in config.hazards}
    pairs = dict.fromkeys(rounds, 0)
    while True:
        hazard = min(pairs, key=lambda name: pairs[name])
        group, turn = next(rounds[hazard])
        pairs[hazard] += len(group.tiles)
        yield partial(_event, config, hazard, group, turn)


def _rounds(
    sources: Sequence[Source], config: PlanConfig, hazard: str
) -> Iterator[tuple[TileGroup, int]]:
    found = tile_groups(sources, HAZARDS.find(hazard).reach_km)
    for turn in count():
        key = f"{hazard}/{turn}/"
        for group in sorted(found, key=lambda g: item_seed(config.seed, key + g.name)):
            yield group, turn


def _event(
    config: PlanConfig, hazard: str, group: TileGroup, turn: int, number: int, attempt: int
) -> list[Item]:
    """The items of the event, from ``number`` on; another ``attempt`` gives another event."""
    seed = item_seed(config.seed, f"event/{hazard}/{group.name}/{turn}/{attempt}")
    rng = np.random.default_rng([seed, 2])
    shared: dict[str, Any] = {
        "severity": config.severity_of(rng),
        "parameters": {**HAZARDS[hazard].draw_event(rng), **config.parameters},
    }
    name = f"{group.name}/{turn}"
    return [
        replace(
            config.item(hazard, number + k, source, turn),
            occurrence=Occurrence(name=name, seed=seed, site=site),
            **shared,
        )
        for k, (source, site) in enumerate(group.tiles)
    ]
