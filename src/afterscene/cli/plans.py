"""``afterscene gbd plan|tile``: the fixed list of pairs that a build makes; one of these pairs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from afterscene.cli.completion import hazard_names
from afterscene.cli.options import (
    Choose,
    MinFidelity,
    Mode,
    Model,
    ModeOption,
    OnError,
    OnErrorOption,
    Out,
    Set,
    Split,
    Steps,
    XbdOrNone,
    drawing,
    parameters,
)
from afterscene.cli.output import Json, Output, Quiet, Seed, table
from afterscene.cli.roles import roles_json, say_roles
from afterscene.cli.summary import show
from afterscene.errors import BadParameter

if TYPE_CHECKING:
    from afterscene.gbd.imagery import SourcePicture
    from afterscene.geodata.roles import Taken

PlanPath = Annotated[Path, typer.Option("--plan", help="Plan file written by `gbd plan`.")]


def plan(
    hazard: Annotated[
        list[str],
        typer.Option(
            "--hazard",
            metavar="HAZARD",
            help="Name of a hazard; repeatable, or `all`. Each hazard gets equally many pairs.",
            autocompletion=hazard_names,
        ),
    ],
    count: Annotated[int, typer.Option("--count", help="Number of pairs, all hazards together.")],
    out: Annotated[Path, typer.Option("--out", help="Plan file to write (.jsonl).")],
    xbd: XbdOrNone = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", help="Folder of pre-disaster images: GeoTIFF, PNG or JPEG."),
    ] = None,
    stac: Annotated[
        Path | None, typer.Option("--stac", help="Local STAC catalogue (catalog.json).")
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option("--before", help="With --stac: only images taken before this time (UTC)."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role",
            help="Which --images are pre or post images where names do not tell: pre=PATTERN or "
            "post=PATTERN, such as 'post=*_b.tif'; repeatable, the first that fits decides.",
        ),
    ] = None,
    footprints: Annotated[
        list[Path] | None,
        typer.Option(
            "--footprints",
            metavar="FILE",
            help="Footprints for --images or --stac: one file, or a folder with a file per image.",
        ),
    ] = None,
    split: Split = None,
    test: Annotated[
        str | None,
        typer.Option(
            "--test",
            help="Split reserved for testing: no source may belong to it, lie within 1 km of it, "
            "or look like one of its images.",
        ),
    ] = None,
    apart_from: Annotated[
        Path | None,
        typer.Option(
            "--apart-from",
            help="Like --test, for a whole xBD folder reserved for evaluation.",
        ),
    ] = None,
    built_up: Annotated[
        float | None,
        typer.Option(
            "--built-up",
            help="Use only images that the scene classifier takes for a settlement with at least "
            "this probability (0 to 1).",
        ),
    ] = None,
    severity: Annotated[
        float | None,
        typer.Option(
            "--severity",
            help="Severity of all pairs, 0 to 1. Default: drawn from 0.3 to 1 for each; 1 "
            "with --events.",
        ),
    ] = None,
    seed: Seed = 0,
    shard_size: Annotated[
        int,
        typer.Option(
            "--shard-size",
            min=1,
            help="Number of pairs that a worker makes, or repeats, at a time.",
        ),
    ] = 16,
    events: Annotated[
        bool,
        typer.Option(
            "--events",
            help="Draw disasters larger than a tile by published laws: neighbouring tiles agree.",
        ),
    ] = False,
    mix: Annotated[
        str | None,
        typer.Option(
            "--mix",
            help="Wanted shares of the damage levels, for example "
            "no-damage=0.4,minor=0.2,major=0.2,destroyed=0.2. Of several drawn events the closest "
            "is used.",
        ),
    ] = None,
    set_: Set = None,
    on_error: OnErrorOption = OnError.fail,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Choose images and disasters for a build, and write them down.

    `gbd build --plan` then makes exactly these pairs, on one machine or many. Sources are an xBD
    folder (--xbd), or images of any size (--images or --stac, with --footprints), which are first
    cut into tiles in the folder OUT.tiles. Every source is checked and hashed once, here.
    """
    from afterscene import gbd
    from afterscene.gbd.imagery import cut_tiles
    from afterscene.gbd.steering import parse_mix
    from afterscene.geodata.leftout import LeftOut
    from afterscene.hazards import HAZARDS

    output, left_out = Output(json=as_json, quiet=quiet), LeftOut()
    wished = None if mix is None else parse_mix(mix)
    # A drawn event is as strong as its fields say; a mix needs weaker and stronger events.
    lowest = 1.0 if events and wished is None else 0.3
    imagery: dict[str, Any] = {}
    if xbd is None:
        tiles = out.with_name(f"{out.stem}.tiles")
        pictures, roles = _pictures(images, stac, before, role or [], footprints or [])
        report = cut_tiles(pictures, footprints or [], tiles, on_error=on_error)
        say_roles(output, roles, left_out)
        imagery = {"imagery": report.as_json(), "roles": roles_json(roles, report.labels)}
        left_out.take(report.left_out)
        output.say(f"tiles: {len(report.tiles)} in {tiles}")
        for status, n in sorted(report.shifts.items()):
            output.say(f"footprints {status} on {n} of them")
    elif images or stac or before or role or footprints:
        raise BadParameter(
            "--xbd holds images and labels; leave out --images, --stac, --before, ..."
        )
    config = gbd.PlanConfig(
        hazards=tuple(HAZARDS) if hazard == ["all"] else tuple(hazard),
        count=count,
        seed=seed,
        severity=(lowest, 1.0) if severity is None else (severity, severity),
        parameters=parameters(set_),
        events=events,
        mix=wished,
    )
    root = tiles if xbd is None else xbd
    selected = gbd.select_sources(
        root,
        split,
        test=test,
        apart_from=apart_from,
        built_up=built_up,
        skip_leaks=on_error == OnError.skip,
    )
    drawn = gbd.draw_plan(selected.sources, config)
    written = gbd.write_plan(drawn, out, root=root, shard_size=shard_size)
    if total := sum(written.levels.values()):
        shares = (f"{word} {n / total:.0%}" for word, n in written.levels.items())
        output.say(f"levels: {', '.join(shares)}")
    left_out.take(selected.left_out)
    output.left_out(left_out)
    if selected.not_built_up:
        output.say(f"left out: {selected.not_built_up} images that show no settlement")
    for words in selected.leaks:
        output.say(f"left out: {words}")
    rows = [*written.hazards.items(), ("all", written.plan.count)]
    counts = {**written.as_json(), **selected.as_json(), "left_out": left_out.as_json()}
    value = {"out": str(out), "shard_size": shard_size, **counts, **imagery}
    output.result(value, _text(rows, len(selected.sources), out))


def _text(rows: list[tuple[str, int]], sources: int, out: Path) -> str:
    """The counts by hazard, the last row being all, and what to do next."""
    images = "1 image" if sources == 1 else f"{sources} images"
    made = f"{out}: {rows[-1][1]} pairs from {images}"
    return (
        f"{table(('hazard', 'pairs'), rows)}\n{made}; next: afterscene gbd build --plan {out} "
        "--out FOLDER"
    )


def _pictures(
    images: Path | None,
    stac: Path | None,
    before: datetime | None,
    role: list[str],
    footprints: list[Path],
) -> tuple[list[SourcePicture], dict[str, Taken]]:
    """The pictures to cut, and by name what each file was taken for."""
    from afterscene.gbd import imagery
    from afterscene.geodata.roles import Rule, Taken

    if (images is None) == (stac is None):
        raise BadParameter("no pre images: give exactly one of --xbd, --images and --stac")
    if not footprints:
        raise BadParameter(
            "--footprints is missing; give a file with the buildings of the pre images"
        )
    if images is not None:
        if before is not None:
            raise BadParameter(
                "--before works only with --stac, which holds the times; leave it out"
            )
        roles = imagery.roles_in(images, [Rule.parse(text) for text in role])
        named = {path.relative_to(images).as_posix(): taken for path, taken in roles.items()}
        return imagery.pictures_in(images, roles), named
    assert stac is not None
    if role:
        raise BadParameter("--role works only with --images; use --before with --stac")
    found = imagery.pictures_of_catalogue(stac, before and before.replace(tzinfo=UTC))
    why = f"taken before {before:%Y-%m-%d %H:%M}" if before else "no --before was given"
    return found, {picture.name: Taken(role="pre", why=why) for picture in found}


def tile(
    name: Annotated[str, typer.Argument(metavar="ID", help="Name of a pair in the plan.")],
    plan: PlanPath,
    out: Out,
    mode: ModeOption = Mode.edit,
    steps: Steps = None,
    model: Model = "default",
    min_fidelity: MinFidelity = None,
    choose: Choose = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make one pair of a plan, the same as in the full build."""
    from afterscene import gbd

    output = Output(json=as_json, quiet=quiet)
    one = gbd.read_plan(plan, only=name)
    generator, rendering = drawing(mode, steps, model, min_fidelity, choose)
    report = gbd.build(one, out, generator, rendering=rendering)
    show(output, report)
