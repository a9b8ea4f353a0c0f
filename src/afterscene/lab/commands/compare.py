"""``afterscene compare``: what synthetic pairs are worth to a detector."""

from pathlib import Path
from typing import Annotated, Any

import typer

from afterscene.cli.options import OnError, OnErrorOption, Out, Overwrite, Xbd
from afterscene.cli.talk import Json, Quiet, Talk
from afterscene.errors import BadParameter

RecipeName = Annotated[
    str | None,
    typer.Argument(
        metavar="[RECIPE]",
        help="new-event, leave-one-out or rare-levels: a whole protocol; without: --gbd.",
    ),
]
Gbd = Annotated[
    list[Path] | None,
    typer.Option("--gbd", help="Folder of synthetic pairs; repeatable. Without RECIPE."),
]
Generators = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="Generator folder of a protocol, FOLDER or EVENT=FOLDER for each held-out event; "
        "it must not have seen what the protocol holds out; repeatable.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting of the protocol, KEY=VALUE (detector.steps=250)."),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=0, help="Stop after so many trainings of a protocol; goes on."),
]
Seeds = Annotated[
    int | None, typer.Option("--seeds", min=1, help="Trainings of each arm; 3 or more.")
]
Train = Annotated[str, typer.Option("--split", help="Split to train on. Without RECIPE.")]
Test = Annotated[str, typer.Option("--test", help="Split to score on, never trained on.")]
Val = Annotated[str | None, typer.Option("--val", help="Split that decides the thresholds.")]
TrainSteps = Annotated[int | None, typer.Option("--steps", min=1, help="Optimiser steps.")]
Encoder = Annotated[
    str | None, typer.Option("--encoder", help="lite0 (ImageNet weights) or tiny (from scratch).")
]


def compare(
    xbd: Xbd,
    out: Out,
    recipe: RecipeName = None,
    gbd: Gbd = None,
    model: Generators = None,
    settings: Settings = None,
    limit: Limit = None,
    split: Train = "train",
    test: Test = "test",
    val: Val = None,
    seeds: Seeds = None,
    steps: TrainSteps = None,
    encoder: Encoder = None,
    on_error: OnErrorOption = OnError.fail,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train on real pairs alone and with synthetic ones; same seeds and steps; report.html.

    With RECIPE: all arms of a protocol. Stopped and started again, it goes on with the runs that
    are missing. Training pairs that are, lie within 1 km of, or look like a test tile end it;
    --on-error skip leaves them out.
    """
    talk = Talk(json=as_json, quiet=quiet)
    if recipe is not None:
        asked = [*(settings or ())]
        asked += [f"detector.steps={steps}"] if steps else []
        asked += [f"detector.encoder={encoder}"] if encoder else []
        asked += [f"seeds={','.join(map(str, range(seeds)))}"] if seeds else []
        work = {"limit": limit, "overwrite": overwrite, "skip": on_error == OnError.skip}
        _protocol(talk, recipe, asked, xbd, out, model or [], work)
        return
    if not gbd:
        raise BadParameter(
            "nothing to compare with: give a RECIPE (new-event, leave-one-out, rare-levels), or "
            "--gbd with a folder of synthetic pairs"
        )
    from afterscene.detectors import DetectorConfig
    from afterscene.lab.trees import ARMS, Splits, compare_and_report

    seeds = seeds or 3
    changes: dict[str, Any] = {"steps": steps, "encoder": encoder}
    config = DetectorConfig(**{k: v for k, v in changes.items() if v is not None})
    with talk.progress("train detectors", len(ARMS) * seeds * config.steps) as advance:
        verdict, values = compare_and_report(
            xbd,
            gbd,
            out,
            config=config,
            seeds=range(seeds),
            splits=Splits(train=split, test=test, val=val, skip=on_error == OnError.skip),
            overwrite=overwrite,
            progress=lambda *_: advance(1),
        )
    talk.result(values, f"{verdict}\nReport: {(out / 'report.html').resolve()}")


def _protocol(
    talk: Talk,
    name: str,
    asked: list[str],
    xbd: Path,
    out: Path,
    models: list[str],
    work: dict[str, Any],
) -> None:
    from afterscene import generators
    from afterscene.lab.protocol import Work, run_protocol
    from afterscene.lab.protocol_recipes import protocol as named
    from afterscene.recipes.overrides import override

    protocol = override(named(name), asked)
    folders = {}
    for text in models:
        event, _, folder = text.rpartition("=")
        folders[event] = Path(folder)
    doing = [""]

    def told(setting: str, arm: str, seed: int, step: int, steps: int) -> None:
        label = f"{setting}, {arm}, seed {seed}"
        if doing[0] != label:
            doing[0] = label
            talk.say(f"training {label}: {steps} steps")

    verdict, values = run_protocol(
        protocol,
        xbd,
        folders,
        out,
        load_generator=lambda folder: generators.load(str(folder)),
        work=Work(**work, told=told),
    )
    talk.result(values, f"{verdict}\nReport: {(out / 'report.html').resolve()}")
