"""``afterscene train RECIPE``: train a generator or a detector, alone or in several processes.

SIGTERM and SIGINT (Ctrl-C) let the step end, save and exit with 143 and 130; ``--resume`` goes on.
"""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.talk import Json, Quiet, Talk


def train(
    recipe: Annotated[str, typer.Argument(help="A name out of `afterscene recipes list`.")],
    data: Annotated[
        Path,
        typer.Option("--data", help="xBD folder with splits train and val; unlabelled/ is used."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the run: states, log, model/.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the recipe, KEY=VALUE (lr=2e-4); repeatable."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest whole state in --out.")
    ] = False,
    initial: Annotated[
        Path | None,
        typer.Option("--init", help="Model folder whose weights to start from."),
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Optimiser steps.")] = None,
    precision: Annotated[
        str | None,
        typer.Option("--precision", help="auto, bf16, or the exact fp32; default: the recipe's."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a generator or a detector; under torchrun all processes share each step."""
    from afterscene.recipes.overrides import override
    from afterscene.recipes.registry import recipe as named
    from afterscene.recipes.run import TrainRun
    from afterscene.training.processes import joined
    from afterscene.training.signals import caught_signals

    asked = [*(settings or ())]
    asked += [f"steps={steps}"] if steps else []
    config = named(recipe)
    asked += [f"precision={precision}"] if precision else []
    config = override(config, asked)
    with joined() as group:
        talk = Talk(json=as_json, quiet=quiet or not group.first)
        run = TrainRun(
            config=config, data=data, out=out, initial=initial, resume=resume, group=group
        )
        trainer, pairs, said = run.prepare()
        for sentence in said:
            talk.say(f"warning: {sentence}")
        with caught_signals() as codes, talk.progress("train", config.steps - trainer.step) as go:
            for _ in trainer.run(lambda: max(codes, default=0)):
                go(1)
        made = {"recipe": recipe, **run.finish(trainer, pairs)}
        if group.first:
            talk.result(made, f"step {trainer.step} of {config.steps}: {made['model'] or out}")
    if trainer.stopped:
        talk.say("stopped; the same command with --resume goes on")
        raise typer.Exit(trainer.stopped)
