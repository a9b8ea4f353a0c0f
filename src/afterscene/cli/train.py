"""``afterscene train RECIPE``: train a generator or a detector, alone or in several processes.

SIGTERM and SIGINT (Ctrl-C) let the step end, save and exit with 143 and 130; ``--resume`` goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from afterscene.cli.options import OnError, OnErrorOption
from afterscene.cli.output import Json, Output, Quiet

if TYPE_CHECKING:
    from afterscene.recipes.run import TrainRun
    from afterscene.training.config import LoopConfig
    from afterscene.training.processes import Group

RunOut = Annotated[Path, typer.Option("--out", help="Folder of the run: states, log, model/.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting of the recipe, KEY=VALUE (lr=2e-4); repeatable."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the newest whole state in --out.")
]
Initial = Annotated[
    Path | None, typer.Option("--init", help="Model folder whose weights to start from.")
]


def train(
    recipe: Annotated[str, typer.Argument(help="A name out of `afterscene recipes list`.")],
    data: Annotated[
        list[Path],
        typer.Option(
            "--data", help="xBD folder with splits train and val; unlabelled/ is used; repeatable."
        ),
    ],
    out: RunOut,
    settings: Settings = None,
    resume: Resume = False,
    initial: Initial = None,
    on_error: OnErrorOption = OnError.fail,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a generator or a detector; under torchrun all processes share each step.

    A pair of train that is, lies within 1 km of, or looks like one of val or test ends it;
    --on-error skip leaves such pairs out.
    """
    from afterscene.geodata.xbd import XbdTree
    from afterscene.recipes.data import Folders
    from afterscene.recipes.run import TrainRun

    config = configured(recipe, settings)
    val = "val" if any("val" in XbdTree(folder).splits for folder in data) else None
    folders = Folders(roots=tuple(data), validation=val, skip=on_error == OnError.skip)

    def run(group: Group) -> TrainRun:
        return TrainRun(
            config=config, folders=folders, out=out, initial=initial, resume=resume, group=group
        )

    carry_out(recipe, run, as_json=as_json, quiet=quiet)


def configured(recipe: str, settings: list[str] | None, **options: object) -> LoopConfig:
    """The recipe's configuration with the settings, then the options that were given."""
    from afterscene.recipes.overrides import override
    from afterscene.recipes.registry import recipe as named

    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    return override(named(recipe), [*(settings or ()), *given])


def carry_out(
    recipe: str, make: Callable[[Group], TrainRun], *, as_json: bool, quiet: bool
) -> None:
    """Take the steps of a run, tell of them, and leave with its exit code where it was stopped."""
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
            output.result(made, f"step {trainer.step} of {total}: {made['model'] or run.out}")
    if trainer.stopped:
        output.say("stopped; the same command with --resume goes on")
        raise typer.Exit(trainer.stopped)
