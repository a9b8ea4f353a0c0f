"""Events that are larger than a tile: which tiles one disaster strikes, and where they lie in it.

Sources whose labels have degrees are gathered into groups no wider than the hazard's ``reach_km``
and of at most :data:`MOST` tiles, by cutting at the widest gap. An event is a group with a seed,
fields drawn from the hazard's law and a severity, all shared; each tile knows its place in it
(:class:`afterscene.hazards.site.Site`), so that neighbours agree at their border. A source without
a place is a group of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from afterscene.errors import AftersceneError
from afterscene.gbd.plan import Item, Occurrence, Plan, Source, item_seed
from afterscene.gbd.steering import Unit
from afterscene.geodata.xbd import fit_lnglat, read_label
from afterscene.hazards import HAZARDS
from afterscene.hazards.site import Site

MOST = 12
"""Tiles of an event, so that one event does not fill a set."""
METRES = 111_195.0
"""A degree of latitude on a sphere of the mean radius of the Earth."""
_SIDE = 1024


@dataclass(frozen=True, kw_only=True)
class Located:
    """A source and its frame: west, north in degrees, degrees a pixel, (H, W)."""

    source: Source
    west: float
    north: float
    steps: tuple[float, float]
    shape: tuple[int, int]


def locate(source: Source) -> Located | None:
    """Where the source lies, after its label; None where that has no degrees."""
    try:
        label = read_label(source.label, on_problem="skip")
    except AftersceneError:
        return None  # whoever makes the pair will name the fault
    fit = fit_lnglat(label.buildings)
    if fit is None:
        return None
    a, b, c, d, e, f = fit.affine[:6]
    steps = (float(np.hypot(a, b)), float(np.hypot(d, e)))
    return Located(source=source, west=c, north=f, steps=steps, shape=label.shape or (_SIDE, _SIDE))


@dataclass(frozen=True, kw_only=True)
class Group:
    """Tiles that one event strikes, each with its site; ``name`` is fixed by the tiles."""

    name: str
    tiles: tuple[tuple[Source, Site | None], ...]


def groups(sources: Sequence[Source], reach_km: float) -> list[Group]:
    """All sources in groups, in the order of their names."""
    placed, alone = [], []
    for source in sorted(sources, key=lambda s: s.id):
        found = locate(source)
        if found is None:
            alone.append(Group(name=source.id, tiles=((source, None),)))
        else:
            placed.append(found)
    parts = _split(placed, reach_km * 1000) if placed else []
    return sorted([*map(_group, parts), *alone], key=lambda group: group.name)


def _split(tiles: list[Located], reach: float) -> list[list[Located]]:
    corners = _plane(tiles)
    if len(tiles) == 1 or (len(tiles) <= MOST and float(np.ptp(corners, axis=0).max()) <= reach):
        return [tiles]
    axis = int(np.ptp(corners, axis=0).argmax())
    order = np.argsort(corners[:, axis], kind="stable")
    cut = int(np.diff(corners[order, axis]).argmax()) + 1
    first, last = ([tiles[k] for k in part] for part in (order[:cut], order[cut:]))
    return [*_split(first, reach), *_split(last, reach)]


def _plane(tiles: Sequence[Located]) -> np.ndarray:
    """(n, 2) metres (x east, y south) of the upper left corners from the first tile's."""
    first = tiles[0]
    scale = np.cos(np.radians(np.mean([t.north for t in tiles])))
    east = [(t.west - first.west + 180) % 360 - 180 for t in tiles]
    south = [first.north - t.north for t in tiles]
    return np.stack([np.array(east) * scale, np.array(south)], axis=1) * METRES


def _group(tiles: list[Located]) -> Group:
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
    return Group(name=f"{pairs[0][0].id}+{len(pairs) - 1}", tiles=tuple(pairs))


def event_units(plans: Sequence[Plan]) -> Iterator[Unit]:
    """Events without end, hazard after hazard: always the hazard with the fewest pairs so far.

    In each round each group of a hazard is struck once, in an order of the round's own.
    """
    known = {plan.hazard: _rounds(plan) for plan in plans}
    pairs = dict.fromkeys(known, 0)
    while True:
        hazard = min(pairs, key=lambda name: pairs[name])
        group, turn, plan = next(known[hazard])
        pairs[hazard] += len(group.tiles)
        yield _Event(plan=plan, group=group, turn=turn)


def _rounds(plan: Plan) -> Iterator[tuple[Group, int, Plan]]:
    found = groups(plan.sources, HAZARDS.find(plan.hazard).reach_km)
    turn = 0
    while True:
        key = f"{plan.hazard}/{turn}/"
        for group in sorted(found, key=lambda g: item_seed(plan.seed, key + g.name)):
            yield group, turn, plan
        turn += 1


@dataclass(frozen=True, kw_only=True)
class _Event:
    plan: Plan
    group: Group
    turn: int

    def __call__(self, number: int, attempt: int) -> list[Item]:
        """The items of the event from ``number`` on; another event for another ``attempt``."""
        key = f"event/{self.plan.hazard}/{self.group.name}/{self.turn}/{attempt}"
        seed = item_seed(self.plan.seed, key)
        rng = np.random.default_rng([seed, 2])
        low, high = self.plan.severity
        severity = round(float(rng.uniform(low, high)), 4)
        fields: Mapping[str, float | str] = HAZARDS[self.plan.hazard].draw_event(rng)
        items = []
        for k, (source, site) in enumerate(self.group.tiles):
            item = self.plan.item(number + k, source, self.turn)
            items.append(
                replace(
                    item,
                    severity=severity,
                    parameters={**fields, **self.plan.parameters},
                    occurrence=Occurrence(
                        name=f"{self.group.name}/{self.turn}", seed=seed, site=site
                    ),
                )
            )
        return items
