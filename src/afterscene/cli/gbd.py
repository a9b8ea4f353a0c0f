"""``afterscene gbd build|verify|export|stats``: sets of synthetic pairs."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.completion import format_names, hazard_names
from afterscene.cli.options import (
    Choose,
    MinFidelity,
    Mode,
    Model,
    ModeOption,
    OnError,
    OnErrorOption,
    Out,
    Overwrite,
    PlanFile,
    Set,
    Split,
    Steps,
    XbdOrNone,
    drawing,
    only_plan,
    parameters,
    required,
    whole_output,
)
from afterscene.cli.output import Json, Output, Quiet, Seed, table
from afterscene.cli.summary import show

app = typer.Typer(
    help="Build, check, count and hand on sets of synthetic pairs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DatasetDir = Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of a finished build.")]
HazardOrNone = Annotated[
    str | None,
    typer.Option(
        "--hazard",
        help="A name out of `afterscene hazards list`.",
        autocompletion=hazard_names,
    ),
]
Severity = Annotated[
    float | None,
    typer.Option("--severity", help="0 to 1 for all pairs; default: drawn from 0.3 to 1."),
]


@app.command("build")
def build(
    out: Out,
    xbd: XbdOrNone = None,
    hazard: HazardOrNone = None,
    count: Annotated[int | None, typer.Option("--count", help="Number of pairs to make.")] = None,
    plan: PlanFile = None,
    workers: Annotated[
        int, typer.Option("--workers", help="Processes of this machine that share the work.")
    ] = 1,
    ray: Annotated[
        str | None,
        typer.Option("--ray", help="Ray cluster that does the work: an address, auto or local."),
    ] = None,
    split: Split = None,
    severity: Severity = None,
    seed: Seed = 0,
    mode: ModeOption = Mode.edit,
    steps: Steps = None,
    model: Model = "default",
    min_fidelity: MinFidelity = None,
    choose: Choose = None,
    set_: Set = None,
    on_error: OnErrorOption = OnError.fail,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make pairs from the pre images of an xBD folder: images/ labels/ targets/ manifest.jsonl.

    Give --xbd, --hazard and --count, or the --plan that `gbd plan` wrote (its sources are then
    looked for in --xbd, where given). Stopped and started again, it goes on. Workers and Ray change
    the time alone. Give OUT as FOLDER/train and torchgeo opens FOLDER.
    """
    from afterscene import gbd
    from afterscene.geodata.leftout import LeftOut

    output, left_out = Output(json=as_json, quiet=quiet), LeftOut()
    if plan is not None:
        only_plan(hazard=hazard, count=count, split=split, severity=severity, set=set_)
        todo = gbd.read_plan(plan, xbd)
    else:
        sources = gbd.find_sources(required("--xbd", xbd), split, left_out)
        config = gbd.PlanConfig(
            hazards=(required("--hazard", hazard),),
            count=required("--count", count),
            seed=seed,
            severity=(0.3, 1.0) if severity is None else (severity, severity),
            parameters=parameters(set_),
        )
        todo = gbd.draw_plan(sources, config)
    with output.progress("gbd build", todo.count) as advance:
        options = gbd.RunOptions(
            on_error=on_error,
            overwrite=overwrite,
            on_progress=advance,
            workers=workers,
            ray=ray,
        )
        generator, rendering = drawing(mode, steps, model, min_fidelity, choose)
        report = gbd.build(todo, out, generator, rendering=rendering, options=options)
    report.left_out.take(left_out)
    show(output, report)


@app.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Output of build or synthesize.")],
    as_json: Json = False,
) -> None:
    """Check each pair of a folder against its manifest: synthetic, tampered, missing or faulty.

    Faulty: a level stands where the picture has no data.

    Exit code 1 when a pair is not as the manifest says.
    """
    from afterscene import gbd

    verdicts = gbd.verify(folder)
    value = [{"id": v.id, "verdict": v.verdict, "reason": v.reason} for v in verdicts]
    rows = [(v.id, v.verdict, v.reason) for v in verdicts]
    Output(json=as_json).result(value, table(("pair", "verdict", "reason"), rows))
    if any(v.verdict != "synthetic" for v in verdicts):
        raise typer.Exit(1)


@app.command("export")
def export(
    dataset: DatasetDir,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="coco, cog, croissant, geojson, geopackage, geoparquet, manifest, stac, "
            "webdataset, or what an installed package adds.",
            autocompletion=format_names,
        ),
    ],
    out: Out,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write a set in another format; each item keeps its synthetic mark and its licence.

    geoparquet, manifest and stac need the extra geo. The paths in coco and croissant
    are relative to DATASET; those in stac lead to it, so keep the two folders in place.
    """
    from afterscene.gbd.dataset import Dataset
    from afterscene.gbd.export import check_apart, find_exporter

    read, exporter = Dataset(dataset), find_exporter(format_)
    check_apart(read, out)
    with whole_output(out, "gbd export", overwrite):
        made = exporter.write(read, out)
    names = [path.relative_to(out).as_posix() for path in made]
    value = {"out": str(out), "format": format_, "pairs": len(read), "files": names}
    licence = read.terms.licence
    text = f"{len(read)} pairs as {format_} in {out} ({len(names)} files); licence: {licence}"
    Output(json=as_json).result({**value, "licence": licence}, text)


@app.command("stats")
def stats(
    dataset: DatasetDir,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write stats.html and stats.json here.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Count a set: pairs, buildings and damage levels by hazard, event and region.

    With --out also one page with the counts, the terms, captions and sample pictures.
    """
    from afterscene.gbd.dataset import Dataset
    from afterscene.gbd.export import check_apart
    from afterscene.gbd.stats import stats as count

    read = Dataset(dataset)
    found = count(read)
    if out is not None:
        check_apart(read, out)
        from afterscene.pages.gbd_page import write_stats

        with whole_output(out, "gbd stats", overwrite):
            write_stats(read, found, out)
    groups = [group.as_json() for group in (*found.groups, found.total)]
    head = ("hazard", "event", "region", "pairs", "buildings", *found.total.levels)
    rows = [
        (g["hazard"], g["event"], g["region"], g["pairs"], g["buildings"], *g["levels"].values())
        for g in groups
    ]
    Output(json=as_json).result(found.as_json(), table(head, rows))
