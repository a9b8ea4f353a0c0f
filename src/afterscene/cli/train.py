"""``afterscene train RECIPE``: train a generator or a detector, alone or in several processes.

After SIGTERM or SIGINT (Ctrl-C) the current step is finished and saved; exit codes 143 and 130.
``--resume`` continues.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from afterscene.cli.options import OnError, OnErrorOption
from afterscene.cli.output import Json, Output, Quiet
from afterscene.errors import BadParameter

if TYPE_CHECKING:
    from afterscene.recipes.data import Folders
    from afterscene.recipes.running import Run
    from afterscene.training.config import LoopConfig
    from afterscene.training.processes import Group

Pairs = Annotated[
    list[Path],
    typer.Option(
        "--data",
        metavar="FOLDER",
        help="xBD folder with splits train and val; unlabelled/ is used, too; repeatable.",
    ),
]
RunOut = Annotated[
    Path, typer.Option("--out", help="Folder of the run; the finished model is in its model/.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a setting of the recipe (lr=2e-4); repeatable. See `recipes list`.",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue from the newest saved state in --out.")
]
Initial = Annotated[
    Path | None, typer.Option("--init", help="Model to take the initial weights from.")
]


def train(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="What to train; see `recipes list`.")
    ],
    data: Pairs,
    out: RunOut,
    settings: Settings = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="Train for so many minutes, not for steps.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", metavar="EVENT", help="With a pack: leave this event out; repeatable."
        ),
    ] = None,
    resume: Resume = False,
    initial: Initial = None,
    on_error: OnErrorOption = OnError.fail,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a generator or a detector.

    --data may also be a file written by `pack`. Stops if a training pair also belongs to val or
    test, lies within 1 km of such a pair, or looks like one; --on-error skip leaves those pairs
    out. Under torchrun all processes share each step.
    """
    if data[0].is_file():
        if len(data) > 1:
            raise BadParameter(f"{data[0]} is a pack; leave out other --data")
        make = _packed(recipe, data[0], out, settings, minutes, initial, resume, without)
    elif without:
        raise BadParameter("--without needs a pack as --data; write one with `afterscene pack`")
    else:
        skip = on_error == OnError.skip
        make = _unpacked(recipe, data, out, settings, minutes, initial, resume, skip=skip)
    carry_out(recipe, make, as_json=as_json, quiet=quiet)


def _unpacked(
    recipe: str,
    data: list[Path],
    out: Path,
    settings: list[str] | None,
    minutes: float | None,
    initial: Path | None,
    resume: bool,
    *,
    skip: bool,
) -> Callable[[Group], Run]:
    from afterscene.recipes.overrides import by_the_clock
    from afterscene.recipes.run import TrainRun

    config = by_the_clock(configured(recipe, settings), minutes, settings or ())
    folders = folders_of(data, skip=skip)
    return lambda group: TrainRun(
        config=config, folders=folders, out=out, initial=initial, resume=resume, group=group
    )


def _packed(
    recipe: str,
    data: Path,
    out: Path,
    settings: list[str] | None,
    minutes: float | None,
    initial: Path | None,
    resume: bool,
    without: list[str] | None,
) -> Callable[[Group], Run]:
    from afterscene.generators.distillation import DistilConfig
    from afterscene.recipes.overrides import by_the_clock, override
    from afterscene.recipes.pack import Pack
    from afterscene.recipes.packed import PackedRun

    pack = Pack(data)
    packed = pack.config
    if recipe == "generator-distilled":
        packed = DistilConfig.of(packed)
    elif pack.recipe != recipe:
        raise BadParameter(f"{data} was packed for the recipe {pack.recipe}, not {recipe}")
    given = settings or ()
    config = by_the_clock(override(packed, given), minutes, given)
    left = tuple(without or ())
    return lambda group: PackedRun(
        config=config,
        pack=pack,
        out=out,
        without=left,
        initial=initial,
        resume=resume,
        group=group,
    )


def folders_of(data: list[Path], *, skip: bool) -> Folders:
    """XBD folders to train on, with their ``val`` if any has one."""
    from afterscene.geodata.xbd import XbdTree
    from afterscene.recipes.data import Folders

    val = "val" if any("val" in XbdTree(folder).splits for folder in data) else None
    return Folders(roots=tuple(data), validation=val, skip=skip)


def configured(recipe: str, settings: list[str] | None, **options: object) -> LoopConfig:
    """The recipe's configuration with the settings, then the options that were given."""
    from afterscene.recipes.overrides import override
    from afterscene.recipes.registry import recipe as named

    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    return override(named(recipe), [*(settings or ()), *given])


def carry_out(recipe: str, make: Callable[[Group], Run], *, as_json: bool, quiet: bool) -> None:
    """Run a training and report it; exits with the run's code if it was stopped."""
    from afterscene.training.processes import joined
    from afterscene.training.signals import caught_signals

    with joined() as group:
        output = Output(json=as_json, quiet=quiet or not group.first)
        run = make(group)
        trainer, data, said = run.prepare()
        for sentence in said:
            output.say(f"warning: {sentence}")
        output.left_out(data.left_out)
        total = run.config.steps
        with caught_signals() as codes, output.progress("train", total - trainer.step) as advance:
            for _ in trainer.run(lambda: max(codes, default=0)):
                advance(1)
        made = {"recipe": recipe, **run.finish(trainer, data)}
        if group.first:
            of = "" if run.config.seconds else f" of {total}"
            output.result(made, f"step {trainer.step}{of}: {made['model'] or run.out}")
    if trainer.stopped:
        output.say("stopped; run the same command with --resume to continue")
        raise typer.Exit(trainer.stopped)
    if run.next:
        output.say(f"next, {run.next}")
