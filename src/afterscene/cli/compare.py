"""``afterscene compare``: what synthetic pairs are worth to a detector."""

from pathlib import Path
from typing import Annotated, Any

import typer

from afterscene.cli.options import Out, Overwrite, Xbd
from afterscene.cli.talk import Json, Quiet, Talk

Gbd = Annotated[list[Path], typer.Option("--gbd", help="Folder of synthetic pairs; repeatable.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each arm; 3 or more.")]
Train = Annotated[str, typer.Option("--split", help="Split to train on.")]
Test = Annotated[str, typer.Option("--test", help="Split to score on, never trained on.")]
Val = Annotated[str | None, typer.Option("--val", help="Split that decides the thresholds.")]
TrainSteps = Annotated[int | None, typer.Option("--steps", min=1, help="Optimiser steps.")]
Encoder = Annotated[
    str | None, typer.Option("--encoder", help="lite0 (ImageNet weights) or tiny (from scratch).")
]


def compare(
    xbd: Xbd,
    gbd: Gbd,
    out: Out,
    split: Train = "train",
    test: Test = "test",
    val: Val = None,
    seeds: Seeds = 3,
    steps: TrainSteps = None,
    encoder: Encoder = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train on real pairs alone and with synthetic ones; same seeds and steps; report.html.

    Stopped and started again, it goes on with the runs that are missing.
    """
    from afterscene.detectors import DetectorConfig
    from afterscene.experiments.trees import Splits, compare_and_report

    talk = Talk(json=as_json, quiet=quiet)
    asked: dict[str, Any] = {"steps": steps, "encoder": encoder}
    config = DetectorConfig(**{k: v for k, v in asked.items() if v is not None})
    with talk.progress("train detectors", 2 * seeds * config.steps) as advance:
        verdict, values = compare_and_report(
            xbd,
            gbd,
            out,
            config=config,
            seeds=range(seeds),
            splits=Splits(train=split, test=test, val=val),
            overwrite=overwrite,
            progress=lambda *_: advance(1),
        )
    talk.result(values, f"{verdict}\nReport: {(out / 'report.html').resolve()}")
