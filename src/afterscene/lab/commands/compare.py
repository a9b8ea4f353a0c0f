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
        help="new-event, leave-one-out or rare-levels: pairs are generated; given: they are in "
        "--gbd.",
    ),
]
Gbd = Annotated[
    list[Path] | None,
    typer.Option("--gbd", help="Folder of synthetic pairs for the protocol given; repeatable."),
]
Generators = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="Model name or folder, or EVENT=FOLDER for each held-out event: the generator, which "
        "must not have seen what the protocol holds out; repeatable.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="A field of the protocol, KEY=VALUE (detector.steps=250); repeatable."
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=0, help="Stop after so many trainings; goes on.")
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
    """Train on real pairs alone and with synthetic ones; same seeds and steps; report.html.

    Stopped and started again, it goes on with the trainings that are missing. Training pairs that
    are, lie within 1 km of, or look like a test tile end it; --on-error skip leaves them out.
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
        said.append("Stopped at the limit; the same command goes on.")
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
