"""Makes a plan from sources and a :class:`~afterscene.gbd.plan.PlanConfig`, or one hazard."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import count

from afterscene.errors import BadParameter
from afterscene.gbd.events import events
from afterscene.gbd.plan import Item, Plan, PlanConfig, Source, Told
from afterscene.gbd.sources import file_hash
from afterscene.gbd.steering import Draw, steer


def draw_plan(sources: Sequence[Source], config: PlanConfig) -> Plan:
    """The plan; it does not depend on the order of the sources.

    Raises:
        BadParameter: there is no source.
    """
    if not sources:
        raise BadParameter("there is no pre image with a building; give another split or folder")

    def items() -> Iterator[Item]:
        drawn = events(sources, config) if config.events else _tiles(sources, config)
        return steer(drawn, config.count, config.mix)

    return Plan.of(items, config.count, config.settings())


def plan_each(
    sources: Sequence[Source],
    hazard: str,
    *,
    severity: float,
    seed: int,
    parameters: Mapping[str, float | str],
    told: Told | None = None,
) -> Plan:
    """One pair per source, all with this hazard, seed and wish, with the names of the sources.

    Raises:
        UnknownName, BadParameter: see :class:`PlanConfig`.
    """
    told = told or Told()
    config = PlanConfig(
        hazards=(hazard,),
        count=len(sources),
        seed=seed,
        severity=(severity, severity),
        parameters=parameters,
    )
    fixed = {"hazard": hazard, "severity": severity, "seed": seed}
    items = [
        Item(
            name=source.id,
            source=source,
            draw=0,
            parameters=config.parameters,
            **vars(told),
            **fixed,  # type: ignore[arg-type]
        )
        for source in sources
    ]
    said = {"say": told.say} if told.say else {}
    files = {"places": told.places, "sketch": told.sketch}
    said |= {name: file_hash(path) for name, path in files.items() if path is not None}
    return Plan.of(lambda: items, len(items), {**fixed, "parameters": dict(parameters), **said})


def _tiles(sources: Sequence[Source], config: PlanConfig) -> Iterator[Draw]:
    """Endless tiles: each source is used before any is used again, hazards alternate."""
    hazards = config.hazards
    # If the hazards divide a round, each round starts one hazard later, so that places change.
    shift = 1 if len(sources) % len(hazards) == 0 else 0
    for draw in count():
        for k, source in enumerate(config.round(sources, draw), draw * len(sources)):
            hazard = hazards[(k + shift * draw) % len(hazards)]
            yield partial(_tile, config, hazard, source, draw)


def _tile(
    config: PlanConfig, hazard: str, source: Source, draw: int, number: int, attempt: int
) -> list[Item]:
    return [config.item(hazard, number, source, draw, attempt=attempt)]
