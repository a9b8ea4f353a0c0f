"""``afterscene regions``: which places to draw disasters for."""

from pathlib import Path
from typing import Annotated, Any

import typer

from afterscene.cli.completion import hazard_names
from afterscene.cli.options import Overwrite, whole_output
from afterscene.cli.output import Json, Output, Quiet, Seed, table

HEAD = ("name", "country", "hazard", "likelihood", "exposure_buildings", "fragility")


def regions(
    hazard: Annotated[
        list[str],
        typer.Option(
            "--hazard",
            metavar="HAZARD",
            help="Name of a hazard; repeatable, or `all`.",
            autocompletion=hazard_names,
        ),
    ],
    count: Annotated[int, typer.Option("--count", min=1, help="Number of places to choose.")],
    out: Annotated[Path, typer.Option("--out", help="Output folder; new or empty.")],
    places: Annotated[
        Path | None,
        typer.Option(
            "--places", help="Candidate places as GeoJSON. Default: the towns of GeoNames."
        ),
    ] = None,
    footprints: Annotated[
        list[Path] | None,
        typer.Option(
            "--footprints",
            metavar="FILE",
            help="Building footprints, counted as exposure; repeatable.",
        ),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            metavar="[HAZARD=]FILE",
            help="Hazard layer: HAZARD=FILE.tif in the unit of the hazard, a ShakeMap grid.xml, or "
            "an IBTrACS CSV; repeatable.",
        ),
    ] = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Choose places for synthetic disasters, by risk.

    Ranks places by hazard x exposure x fragility and writes regions.html (with a map),
    regions.json and regions.geojson. Without --layer a coarse built-in hazard prior is used. The
    ranking only chooses places; it never becomes a damage label.
    """
    from afterscene.gbd import vulnerable
    from afterscene.geodata.leftout import LeftOut
    from afterscene.geodata.mapped import iterate_footprints
    from afterscene.hazards import HAZARDS
    from afterscene.pages.regions_page import write_regions
    from afterscene.regions import gazetteer, read_places

    output, left_out = Output(json=as_json, quiet=quiet), LeftOut()
    names = list(HAZARDS) if hazard == ["all"] else list(dict.fromkeys(hazard))
    layers = [_layer(text) for text in layer or ()]
    known = read_places(places) if places is not None else gazetteer()
    buildings = None
    if footprints:
        stream = (f for path in footprints for f in iterate_footprints(path, left_out=left_out))
        buildings = vulnerable.count_buildings(known, stream)
    candidates = vulnerable.weigh(known, names, layers=layers, buildings=buildings)
    chosen = vulnerable.choose_places(candidates, count, seed=seed)
    with whole_output(out, "regions", overwrite):
        write_regions(known, candidates, chosen, out)
    rows = [c.as_json() for c in chosen]
    output.left_out(left_out)
    for words in vulnerable.caveats(candidates):
        output.say(words)
    text = table(HEAD, [[row[name] for name in HEAD] for row in rows])
    value = {"out": str(out), "candidates": len(candidates), "regions": rows}
    output.result({**value, "left_out": left_out.as_json()}, text)


def _layer(text: str) -> Any:
    """``HAZARD=FILE`` or ``FILE``. Raises UnknownName, MissingFile, BadRegions."""
    from afterscene.hazards import HAZARDS
    from afterscene.regions import read_layer

    name, equals, rest = text.partition("=")
    if not equals or "/" in name:
        return read_layer(Path(text))
    return read_layer(Path(rest), hazard=name, unit=HAZARDS.find(name).unit)
