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
    help="Plan, build, check, count and export synthetic pairs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DatasetDir = Annotated[
    Path, typer.Argument(metavar="DATASET", help="Output folder of a finished `gbd build`.")
]
HazardOrNone = Annotated[
    str | None,
    typer.Option(
        "--hazard",
        help="Name of a hazard; see `afterscene hazards list`.",
        autocompletion=hazard_names,
    ),
]
Severity = Annotated[
    float | None,
    typer.Option(
        "--severity", help="Severity of all pairs, 0 to 1. Default: drawn from 0.3 to 1 for each."
    ),
]


@app.command("build")
def build(
    out: Out,
    xbd: XbdOrNone = None,
    hazard: HazardOrNone = None,
    count: Annotated[int | None, typer.Option("--count", help="Number of pairs to make.")] = None,
    plan: PlanFile = None,
    workers: Annotated[
        int, typer.Option("--workers", help="Number of processes on this machine.")
    ] = 1,
    ray: Annotated[
        str | None,
        typer.Option("--ray", help="Run on a Ray cluster: its address, auto or local."),
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
    """Make synthetic pairs from pre-disaster images.

    Needs either --xbd, --hazard and --count, or a --plan written by `gbd plan` (add --xbd if the
    source images have moved). Writes images/, labels/, targets/ and manifest.jsonl. If it is
    stopped, run the same command again to continue. --workers and --ray change the speed, not the
    result. With --out FOLDER/train, torchgeo can open FOLDER.
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
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Output folder of `gbd build` or `synthesize`.")
    ],
    as_json: Json = False,
) -> None:
    """Check every pair of a folder against its manifest.

    Verdicts: synthetic (as written), tampered (changed since), missing, faulty (a damage level
    where the image has no data). Exit code 1 unless every pair is synthetic.
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
            "webdataset, or a format added by an installed package.",
            autocompletion=format_names,
        ),
    ],
    out: Out,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write a data set in another format.

    Every item keeps its synthetic mark and its licence. geoparquet, manifest and stac need
    `pip install 'afterscene[geo]'`. coco and croissant contain paths relative to DATASET; stac
    contains paths to it, so do not move either folder afterwards.
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
        Path | None,
        typer.Option("--out", help="Also write stats.html and stats.json to this folder."),
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Count pairs, buildings and damage levels of a data set.

    Counts are given by hazard, event and region. With --out also as a page with the licence,
    captions and sample images.
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
