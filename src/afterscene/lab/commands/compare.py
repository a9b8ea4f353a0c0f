"""``afterscene compare``: what synthetic pairs are worth to a detector."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import OnError, OnErrorOption, Out, Overwrite, Xbd
from afterscene.cli.output import Json, Output, Quiet

Name = Annotated[
    str,
    typer.Argument(
        metavar="PROTOCOL",
        help="new-event, leave-one-out and rare-levels generate the synthetic pairs; given uses "
        "those in --gbd.",
    ),
]
Gbd = Annotated[
    list[Path] | None,
    typer.Option(
        "--gbd",
        metavar="FOLDER",
        help="Folder of synthetic pairs, for the protocol `given`; repeatable.",
    ),
]
Generators = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="[EVENT=]MODEL",
        help="Generator: name or folder, or EVENT=FOLDER for each held-out event; repeatable. It "
        "must not have been trained on the test pairs of the protocol.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a setting of the protocol (detector.steps=250); repeatable.",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=0, help="Stop after N trainings; run again to continue."),
]


def compare(
    protocol: Name,
    xbd: Xbd,
    out: Out,
    gbd: Gbd = None,
    model: Generators = None,
    settings: Settings = None,
    limit: Limit = None,
    on_error: OnErrorOption = OnError.fail,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure what synthetic pairs are worth to a detector.

    Trains detectors on real pairs with and without synthetic ones, with the same seeds and steps,
    and writes report.html. If it is stopped, run the same command again to continue. Stops if a
    training pair is a test pair, lies within 1 km of one, or looks like one; --on-error skip
    leaves those pairs out.
    """
    from afterscene.gbd import load_generator
    from afterscene.lab.comparison import Sources, Work
    from afterscene.lab.protocol_report import PAGE, compare_and_report, protocol_verdict
    from afterscene.lab.protocols import PROTOCOLS
    from afterscene.recipes.overrides import override

    output = Output(json=as_json, quiet=quiet)
    parts = (text.rpartition("=") for text in model or ())
    sources = Sources(
        xbd=xbd,
        gbd=tuple(gbd or ()),
        generators={event: Path(folder) for event, _, folder in parts},
        load_generator=load_generator,
    )
    work = Work(
        limit=limit,
        overwrite=overwrite,
        skip=on_error is OnError.skip,
        told=_said_once(output),
        say=lambda words: output.say(f"warning: {words}"),
    )
    made = compare_and_report(
        override(PROTOCOLS.find(protocol), settings or ()), sources, out, work
    )
    page = (out / PAGE).resolve()
    said = [*protocol_verdict(made.results)]
    if not made.results.whole:
        said.append("Stopped at --limit; run the same command again to continue.")
    values = {"report": str(page), "trained": made.trained, **made.results.as_json()}
    output.result(values, "\n".join([*said, f"Report: {page}"]))


def _said_once(output: Output) -> Callable[[str, str, int, int, int], None]:
    doing = [""]

    def told(setting: str, arm: str, seed: int, step: int, steps: int) -> None:
        label = f"{setting}, {arm}, seed {seed}"
        if doing[0] != label:
            doing[0] = label
            output.say(f"training {label}: {steps} steps")

    return told
