"""``afterscene models list|show|average``: shipped models, their cards, and averages of a run."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from afterscene import shipped
from afterscene.cli.options import Out, Overwrite, whole_output
from afterscene.cli.output import Json, Output, table
from afterscene.errors import UnknownName
from afterscene.shipped import card, licence

app = typer.Typer(
    help="List the shipped models, show their cards, average a run.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def describe(name: str, folder: Path) -> dict[str, Any]:
    """What a model is, from its own files."""
    weights = sorted(folder.glob("*.safetensors"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return {
        "name": name,
        "kind": shipped.kind_of(folder),
        "megabytes": round(sum(path.stat().st_size for path in weights) / 1e6, 1),
        "files": [path.name for path in weights],
        "licence": licence(folder),
        "config": config,
    }


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the models that come with AfterScene."""
    entries = [describe(name, folder) for name, folder in shipped.models().items()]
    rows = [(e["name"], e["kind"], f"{e['megabytes']} MB", e["licence"]) for e in entries]
    brief = [{k: v for k, v in e.items() if k != "config"} for e in entries]
    Output(json=as_json).result(brief, table(("model", "kind", "size", "licence"), rows))


@app.command("show")
def show_model(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of a model; see `models list`.")
    ],
    as_json: Json = False,
) -> None:
    """Show the card of a model: use, data, licence, results, limits."""
    known = shipped.models()
    if name not in known:
        names = ", ".join(known) or "none is shipped"
        raise UnknownName(f"model {name!r} is not known; choose one of: {names}")
    text = card(known[name])
    Output(json=as_json).result({**describe(name, known[name]), "card": text}, text)


@app.command("average")
def average_model(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Output folder of a finished `afterscene train`.")
    ],
    out: Out,
    length: Annotated[
        float,
        typer.Option(
            "--length", help="Width of the average as a share of the run, for example 0.05 or 0.1."
        ),
    ],
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Average the weights of a run over another length (EMA).

    Writes the result as a model folder. The length is chosen after the training.
    """
    from afterscene.recipes.average import write_average

    with whole_output(out, "models average", overwrite):
        made = {"out": str(out), **write_average(run, length, out)}
    text = f"{out}: step {made['step']}, {made['missed']:.2%} of the averaging window missed"
    Output(json=as_json).result(made, text)
