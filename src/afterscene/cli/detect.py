"""``afterscene detect fit|predict|score``: damage models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from afterscene.cli.options import Flips, Out, Overwrite, Split, Xbd, whole_output
from afterscene.cli.talk import Json, Quiet, Seed, Talk
from afterscene.errors import BadParameter, MissingFile

if TYPE_CHECKING:
    from afterscene.geodata.xbd import Pair

app = typer.Typer(
    help="Train and use damage detectors.", no_args_is_help=True, rich_markup_mode=None
)

Gbd = Annotated[
    list[Path] | None,
    typer.Option("--gbd", help="Folder of synthetic pairs to train on as well; repeatable."),
]
Val = Annotated[
    str | None, typer.Option("--val", help="Split that decides the thresholds, never trained on.")
]
TrainSteps = Annotated[int | None, typer.Option("--steps", min=1, help="Optimiser steps.")]
Encoder = Annotated[
    str | None, typer.Option("--encoder", help="lite0 (ImageNet weights) or tiny (from scratch).")
]
Kind = Annotated[
    str,
    typer.Option(
        "--detector", help="unet, tiny, swin or clip (these two: afterscene[pretrained])."
    ),
]
Backbone = Annotated[
    Path | None,
    typer.Option("--backbone", help="Local folder of a Swin or CLIP model, safetensors."),
]
Objects = Annotated[
    bool, typer.Option("--objects", help="Also fit a head that gives each footprint its level.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="A field of the detector, KEY=VALUE (localization=pre); repeatable."
    ),
]
Model = Annotated[
    str, typer.Option("--model", help="A shipped detector, or the folder that `detect fit` wrote.")
]


@app.command("fit")
def fit(
    xbd: Xbd,
    out: Out,
    split: Split = None,
    gbd: Gbd = None,
    val: Val = None,
    steps: TrainSteps = None,
    encoder: Encoder = None,
    detector: Kind = "unet",
    backbone: Backbone = None,
    objects: Objects = False,
    settings: Settings = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a detector on the pairs of an xBD folder, and on synthetic ones with --gbd."""
    from dataclasses import replace

    from afterscene import detectors
    from afterscene.detectors.backbones import with_backbone
    from afterscene.detectors.objects import fit_objects
    from afterscene.geodata.pair import read_pairs
    from afterscene.recipes.overrides import override

    talk = Talk(json=as_json, quiet=quiet)
    asked: dict[str, Any] = {"steps": steps, "encoder": encoder}
    config = detectors.detector_config(detector)
    config = override(config, settings or ())
    config = replace(config, **{k: v for k, v in asked.items() if v is not None})
    if backbone is not None:
        config = with_backbone(config, backbone)
    pairs = read_pairs(xbd, split)
    for folder in gbd or ():
        pairs += read_pairs(folder, synthetic=True)
    validation = read_pairs(xbd, val) if val else []
    with (
        whole_output(out, "detect fit", overwrite),
        talk.progress("detect fit", config.steps) as advance,
    ):
        made = detectors.fit(
            config,
            pairs,
            seed=seed,
            out=out,
            validation=validation,
            progress=lambda *_: advance(1),
        )
        if objects:
            made = fit_objects(made, pairs, seed=seed)
            made.save(out)
    figures = {"out": str(out), "pairs": len(pairs), **made.provenance}
    talk.result(figures, f"detector trained on {len(pairs)} pairs: {out}")


@app.command("predict")
def predict(
    out: Out,
    model: Model = "unet",
    pre: Annotated[Path | None, typer.Option("--pre", help="One pre image, with --post.")] = None,
    post: Annotated[Path | None, typer.Option("--post", help="Its post image.")] = None,
    xbd: Annotated[Path | None, typer.Option("--xbd", help="Or an xBD folder.")] = None,
    split: Split = None,
    flips: Flips = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find buildings and their damage: {id}_prediction.png, 0 to 4; GeoTIFF in, GeoTIFF out.

    Pairs of 1024x1024 out of an xBD folder are also written in xView2's layout, predictions/
    and targets/, for `afterscene score`.
    """
    from afterscene.detectors import load, predict_folder

    talk = Talk(json=as_json, quiet=quiet)
    detector = load(model)
    todo = _chosen(xbd, split, pre, post)
    with (
        whole_output(out, "detect predict", overwrite),
        talk.progress("detect predict", len(todo)) as advance,
    ):
        rows = predict_folder(detector, todo, out, flips=flips, advance=advance)
    talk.result(rows, f"{len(rows)} predictions in {out}")


def _chosen(
    xbd: Path | None, split: str | None, pre: Path | None, post: Path | None
) -> "list[Pair]":
    """The pairs of a folder, or the one pair of files, which belongs to no event."""
    from afterscene.geodata.xbd import Pair, XbdTree

    if xbd is not None and pre is None and post is None:
        pairs = [pair for pair in XbdTree(xbd).pairs(split) if pair.post is not None]
        if not pairs:
            raise MissingFile(f"{xbd}: no pair with a post image; check the folder and the split")
        return pairs
    if xbd is None and pre is not None and post is not None:
        return [Pair(id=pre.stem.removesuffix("_pre_disaster"), event="", pre=pre, post=post)]
    raise BadParameter("give either --xbd, or --pre together with --post")


@app.command("score")
def score(
    xbd: Xbd,
    model: Model = "unet",
    split: Split = None,
    flips: Flips = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """The xView2 score of a detector on the pairs of an xBD folder.

    Also all_undamaged_score: the same localisation with every building called undamaged; per
    event; by building; confusion; calibration; intervals over tiles.
    """
    from afterscene.cli.score import evaluation_text, score_text
    from afterscene.detectors import load
    from afterscene.detectors.evaluation import evaluate
    from afterscene.geodata.xbd import XbdTree

    talk = Talk(json=as_json, quiet=quiet)
    detector = load(model)
    pairs = XbdTree(xbd).pairs(split)
    with talk.progress("detect score", len(pairs)) as advance:
        values = evaluate(detector, pairs, flips=flips, advance=advance).as_json()
    talk.result(values, f"{score_text(values)}\n\n{evaluation_text(values)}")
