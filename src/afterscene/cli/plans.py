"""``afterscene gbd plan|tile``: the fixed list of what a build makes, and one of its tiles."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import (
    MinFidelity,
    Mode,
    Model,
    ModeOption,
    Out,
    Set,
    Split,
    Steps,
    Xbd,
    parameters,
)
from afterscene.cli.options import rendering as drawn_with
from afterscene.cli.summary import show
from afterscene.cli.talk import Json, Quiet, Seed, Talk

Plan = Annotated[Path, typer.Option("--plan", help="A file of `gbd plan`.")]


def plan(
    xbd: Xbd,
    hazard: Annotated[
        list[str],
        typer.Option("--hazard", help="A hazard; repeat for more, or `all`. They take turns."),
    ],
    count: Annotated[int, typer.Option("--count", help="Number of pairs, over all hazards.")],
    out: Annotated[Path, typer.Option("--out", help="File to write the plan into.")],
    split: Split = None,
    test: Annotated[
        str | None,
        typer.Option("--test", help="Split that no source may be in, or within 1 km of."),
    ] = None,
    severity: Annotated[
        float | None,
        typer.Option("--severity", help="0 to 1 for all pairs; default: drawn from 0.3 to 1."),
    ] = None,
    seed: Seed = 0,
    shard_size: Annotated[
        int,
        typer.Option("--shard-size", min=1, help="Pairs that are done, or done again, together."),
    ] = 16,
    set_: Set = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the fixed list of shards that `gbd build --plan` makes, on one machine or many.

    The sources are checked and hashed once, here.
    """
    from afterscene import gbd
    from afterscene.cli.talk import table

    talk = Talk(json=as_json, quiet=quiet)
    ask = gbd.Campaign(
        root=xbd,
        split=split,
        test=test,
        hazards=tuple(hazard),
        count=count,
        seed=seed,
        severity=(0.3, 1.0) if severity is None else (severity, severity),
        parameters=parameters(set_),
    )
    stored, counts = gbd.make_plan(ask, out, shard_size=shard_size)
    rows = [(name, pairs) for name, pairs in counts.items()]
    value = {"out": str(out), "pairs": stored.count, "shard_size": shard_size, "hazards": counts}
    talk.result(value, table(("hazard", "pairs"), [*rows, ("all", stored.count)]))


def tile(
    name: Annotated[str, typer.Argument(metavar="ID", help="Name of a pair in the plan.")],
    plan: Plan,
    out: Out,
    mode: ModeOption = Mode.edit,
    steps: Steps = None,
    model: Model = "default",
    min_fidelity: MinFidelity = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make one pair of a plan, exactly as the full build does."""
    from afterscene import gbd, generators

    talk = Talk(json=as_json, quiet=quiet)
    rendering = drawn_with(mode, steps, model, min_fidelity)
    stored = gbd.StoredPlan.read(plan)
    report = gbd.make_tile(stored, name, out, generators.load(model), rendering=rendering)
    show(talk, report)
