"""``afterscene detect fit|predict|score``: damage models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from afterscene.cli.options import (
    Flips,
    OnError,
    OnErrorOption,
    Out,
    Overwrite,
    Split,
    Xbd,
    whole_output,
)
from afterscene.cli.output import Json, Output, Quiet, Seed
from afterscene.cli.train import (
    Initial,
    Resume,
    RunOut,
    Settings,
    carry_out,
    configured,
)
from afterscene.errors import BadParameter, MissingFile, UnknownName

if TYPE_CHECKING:
    from afterscene.geodata.leftout import LeftOut
    from afterscene.geodata.xbd import Pair
    from afterscene.recipes.run import TrainRun
    from afterscene.training.processes import Group

app = typer.Typer(
    help="Train, apply and score damage detectors.", no_args_is_help=True, rich_markup_mode=None
)

Gbd = Annotated[
    list[Path] | None,
    typer.Option(
        "--gbd",
        metavar="FOLDER",
        help="Folder of synthetic pairs to add to the training; repeatable.",
    ),
]
Val = Annotated[
    str | None, typer.Option("--val", help="Split to choose the thresholds on; never trained on.")
]
Kind = Annotated[
    str,
    typer.Option(
        "--detector", help="unet, tiny, swin or clip; the last two need afterscene[pretrained]."
    ),
]
Backbone = Annotated[
    Path | None,
    typer.Option("--backbone", help="Folder of a pretrained Swin or CLIP model (safetensors)."),
]
Model = Annotated[
    str,
    typer.Option("--model", help="Name of a shipped detector (`models list`) or a model folder."),
]


@app.command("fit")
def fit(
    xbd: Xbd,
    out: RunOut,
    split: Split = None,
    gbd: Gbd = None,
    val: Val = None,
    detector: Kind = "unet",
    backbone: Backbone = None,
    settings: Settings = None,
    initial: Initial = None,
    resume: Resume = False,
    seed: Seed = 0,
    on_error: OnErrorOption = OnError.fail,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a damage detector on real and synthetic pairs.

    Real pairs come from --xbd, synthetic ones from --gbd. Stops if a training pair also belongs to
    --val or to the split val or test of the folder, lies within 1 km of such a pair, or looks like
    one; --on-error skip leaves those pairs out.
    """
    from afterscene.detectors.backbones import with_backbone
    from afterscene.detectors.task import DetectorRun
    from afterscene.recipes.data import Folders
    from afterscene.recipes.run import TrainRun

    config = configured(detector, settings, seed=seed or None)
    if not isinstance(config, DetectorRun):
        raise UnknownName(f"recipe {detector!r} trains no detector; see `afterscene recipes list`")
    if backbone is not None:
        config = with_backbone(config, backbone)
    folders = Folders(
        roots=(xbd,),
        split=split,
        validation=val,
        synthetic=tuple(gbd or ()),
        skip=on_error == OnError.skip,
    )

    def run(group: Group) -> TrainRun:
        return TrainRun(
            config=config,
            folders=folders,
            out=out,
            initial=initial,
            resume=resume,
            overwrite=overwrite,
            group=group,
        )

    carry_out(detector, run, as_json=as_json, quiet=quiet)


@app.command("predict")
def predict(
    out: Out,
    model: Model = "unet",
    pre: Annotated[
        Path | None, typer.Option("--pre", help="Image before the disaster; needs --post.")
    ] = None,
    post: Annotated[
        Path | None, typer.Option("--post", help="Image after the disaster; needs --pre.")
    ] = None,
    xbd: Annotated[
        Path | None,
        typer.Option("--xbd", help="Instead of --pre and --post: folder in xBD layout."),
    ] = None,
    split: Split = None,
    flips: Flips = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find buildings and their damage in pairs of images.

    Writes a mask {id}_prediction.png per pair: 0 no building, 1 no damage, 2 minor, 3 major,
    4 destroyed. GeoTIFFs also yield a GeoTIFF. For the 1024x1024 pairs of an xBD folder, the
    folders predictions/ and targets/ are written too, for `afterscene score`.
    """
    from afterscene.detectors import load_detector, predict_folder
    from afterscene.geodata.leftout import LeftOut

    output, left_out = Output(json=as_json, quiet=quiet), LeftOut()
    detector = load_detector(model)
    todo = _chosen(xbd, split, pre, post, left_out)
    with (
        whole_output(out, "detect predict", overwrite),
        output.progress("detect predict", len(todo)) as advance,
    ):
        rows = predict_folder(detector, todo, out, flips=flips, advance=advance)
    output.left_out(left_out)
    value = {"out": str(out), "predictions": rows, "left_out": left_out.as_json()}
    output.result(value, f"{len(rows)} predictions in {out}")


def _chosen(
    xbd: Path | None, split: str | None, pre: Path | None, post: Path | None, left_out: LeftOut
) -> list[Pair]:
    """The pairs of a folder, or the one pair of files, which belongs to no event."""
    from afterscene.geodata.xbd import Pair

    if xbd is not None and pre is None and post is None:
        return _from(xbd, split, left_out, levels=False)
    if xbd is None and pre is not None and post is not None:
        return [Pair(id=pre.stem.removesuffix("_pre_disaster"), event="", pre=pre, post=post)]
    raise BadParameter("give either --xbd, or --pre together with --post")


def _from(xbd: Path, split: str | None, left_out: LeftOut, *, levels: bool) -> list[Pair]:
    """The pairs of a folder that have a post image and, with ``levels``, what tells its levels."""
    from afterscene.geodata.pair import with_post
    from afterscene.geodata.xbd import XbdTree

    pairs = with_post(XbdTree(xbd).pairs(split, left_out), left_out, levels=levels)
    if not pairs:
        raise MissingFile(
            f"{xbd}: no pair has a post image{' and its label' if levels else ''}; check the "
            f"folder and the split{f' ({left_out})' if left_out else ''}"
        )
    return pairs


@app.command("score")
def score(
    xbd: Xbd,
    model: Model = "unet",
    split: Split = None,
    flips: Flips = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a detector on labelled pairs, by the rules of xView2.

    Also gives the score by event and per building, the confusion matrix, calibration, intervals
    over tiles, and all_undamaged_score: the score if every building found were called undamaged.
    """
    from afterscene.cli.score import evaluation_text, score_text
    from afterscene.detectors import load_detector
    from afterscene.detectors.evaluation import score_pairs
    from afterscene.geodata.leftout import LeftOut

    output, left_out = Output(json=as_json, quiet=quiet), LeftOut()
    detector = load_detector(model)
    pairs = _from(xbd, split, left_out, levels=True)
    with output.progress("detect score", len(pairs)) as advance:
        values = score_pairs(detector, pairs, flips=flips, advance=advance).as_json()
    output.left_out(left_out)
    values["left_out"] = left_out.as_json()
    output.result(values, f"{score_text(values)}\n\n{evaluation_text(values)}")
