"""Options that several commands share: each is defined once, with one meaning and one help text.

A command that means something else by a flag defines its own beside its function.
"""

from __future__ import annotations

import enum
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from afterscene.cli.completion import hazard_names, model_names
from afterscene.errors import BadParameter, OutputConflict

if TYPE_CHECKING:
    from afterscene.detectors import Detector
    from afterscene.gbd import Generator, Rendering

T = TypeVar("T")


class OnError(enum.StrEnum):
    """What a run does with an item that cannot be used."""

    fail = "fail"
    skip = "skip"


class Mode(enum.StrEnum):
    """How a post image is drawn."""

    edit = "edit"
    reacquire = "reacquire"


Hazard = Annotated[
    str,
    typer.Option(
        "--hazard",
        help="Name of a hazard; see `afterscene hazards list`.",
        autocompletion=hazard_names,
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Output folder; new or empty.")]
XBD_HELP = "Folder in xBD layout: images/ and labels/."
Xbd = Annotated[Path, typer.Option("--xbd", help=XBD_HELP)]
XbdOrNone = Annotated[Path | None, typer.Option("--xbd", help=XBD_HELP)]
PlanFile = Annotated[Path | None, typer.Option("--plan", help="Plan file written by `gbd plan`.")]
Split = Annotated[
    str | None,
    typer.Option("--split", help="Use only this split of the folder (from its splits.json)."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        help="Name of a shipped generator (`models list`) or a model folder.",
        autocompletion=model_names,
    ),
]
ModeOption = Annotated[
    Mode,
    typer.Option(
        "--mode",
        help="edit: change only damaged buildings and their surroundings. reacquire: redraw the "
        "whole image as if taken on another day.",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        min=1,
        help="Network evaluations per image. More is slower. Default: the model's.",
    ),
]
MinFidelity = Annotated[
    float | None,
    typer.Option(
        "--min-fidelity",
        help="Redraw a scene until the shipped detector sees this share of the buildings at their "
        "requested level (mean over the levels, 0 to 1; 0 only measures). Kept in the manifest.",
    ),
]
Choose = Annotated[
    int | None,
    typer.Option(
        "--choose",
        min=2,
        max=64,
        help="Sketch the damage N times and take each building from the sketch in which the "
        "shipped detector recognises its level best. Only for models that start from a sketch.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a field of the hazard (magnitude=7.1); repeatable. See `hazards list`.",
    ),
]
OnErrorOption = Annotated[
    OnError,
    typer.Option(
        "--on-error",
        help="fail: stop at the first item that cannot be used. skip: leave it out and list it.",
    ),
]
Flips = Annotated[
    bool,
    typer.Option("--flips", help="Average over four mirrored views; takes four times as long."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Delete what an earlier run left in the output folder.")
]


def drawing(
    mode: Mode, steps: int | None, model: str, least: float | None, sketches: int | None
) -> tuple[Generator, Rendering]:
    """The generator and its settings, with the judge for `--min-fidelity` and `--choose`.

    Raises:
        UnknownName, BadWeights: see :func:`afterscene.gbd.load_generator`.
        BadParameter: `--choose` for a generator that does not sketch.
    """
    from afterscene.detectors import load_assessor
    from afterscene.gbd import Rendering, load_generator
    from afterscene.judging.assessor import AssessorJudge
    from afterscene.judging.quality import QualityControl

    generator, chosen, control = load_generator(model), "", None
    if sketches is not None or least is not None:
        detector, name = load_assessor()
    if sketches is not None:
        critic = f"{name} {detector.hash[:12]}"
        generator = _choosing(generator, detector, critic, sketches)
        chosen = f"{critic}, {sketches} sketches"
    if least is not None:
        control = QualityControl(judge=AssessorJudge(detector), name=name, least=least)
    rendering = Rendering(mode=mode, steps=steps, model=model, control=control, chosen=chosen)
    return generator, rendering


def _choosing(generator: Generator, detector: Detector, name: str, sketches: int) -> Generator:
    """The generator with that critic of its sketches. Raises BadParameter."""
    from afterscene.generators import BridgeGenerator
    from afterscene.generators.choosing import Choice

    if not isinstance(generator, BridgeGenerator):
        raise BadParameter("--choose: this model does not start from a sketch; leave --choose out")
    choice = Choice(critic=detector.building_levels, name=name, sketches=sketches)
    return replace(generator, choice=choice)


@contextmanager
def whole_output(out: Path, kind: str, overwrite: bool) -> Iterator[None]:
    """A new output folder; it is removed again if the work in it fails.

    Raises:
        OutputConflict: the folder is not empty, or cannot be written.
    """
    from afterscene.files import prepare_output

    prepare_output(out, kind, overwrite=overwrite)
    try:
        yield
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise


@contextmanager
def whole_files(files: Sequence[Path], overwrite: bool) -> Iterator[None]:
    """New output files; they are removed again if the work fails, unless they were there before.

    Raises:
        OutputConflict: one of them exists and may not be replaced.
    """
    there = [file for file in files if file.exists()]
    if there and not overwrite:
        raise OutputConflict(f"{there[0]} exists already; choose another name, or add --overwrite")
    try:
        yield
    except BaseException:
        for file in set(files).difference(there):
            with suppress(OSError):  # the reason for the failure is the one to tell
                file.unlink(missing_ok=True)
        raise


def required(name: str, value: T | None) -> T:
    """The value of an option that this call needs. Raises BadParameter."""
    if value is None:
        raise BadParameter(f"{name} is missing; give it, or a plan file with --plan")
    return value


def only_plan(**options: object) -> None:
    """Refuse options whose values the plan fixes. Raises BadParameter."""
    for name, value in options.items():
        if value is not None:
            raise BadParameter(f"--{name} is fixed by the plan; leave --{name} out")


def parameters(pairs: Sequence[str] | None) -> dict[str, float | str]:
    """``["magnitude=7.1"]`` as ``{"magnitude": 7.1}``.

    Raises:
        BadParameter: an entry has no ``=``.
    """
    values: dict[str, float | str] = {}
    for pair in pairs or ():
        name, equals, text = pair.partition("=")
        if not (name and equals):
            raise BadParameter(
                f"--set {pair!r} is not NAME=VALUE; write, for example, --set magnitude=7"
            )
        try:
            values[name] = float(text)
        except ValueError:
            values[name] = text
    return values
