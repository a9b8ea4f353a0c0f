"""``afterscene samplers list``: the samplers, their order and their parameters."""

import math
from dataclasses import asdict
from typing import Any

import typer

from afterscene.cli.output import Json, Output, table

app = typer.Typer(
    help="List the samplers of the diffusion models.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def group() -> None:
    """List the samplers of the diffusion models."""


@app.command("list")
def list_samplers(as_json: Json = False) -> None:
    """List the samplers and their properties.

    Columns: order of the error, whether it adds noise, network calls per step, parameters, paper.
    """
    from afterscene.diffusion.samplers import samplers

    rows = [_row(name, kind()) for name, kind in samplers().items()]
    head = ("name", "order", "noise", "calls", "parameters", "source")
    Output(json=as_json).result(rows, table(head, [_cells(row) for row in rows]))


def _row(name: str, method: Any) -> dict[str, Any]:
    """A sampler as JSON, which has no infinity: an infinite order is exact."""
    values = asdict(method).items()
    return {
        "name": name,
        "order": "exact" if method.order == math.inf else method.order,
        "stochastic": method.stochastic,
        "evaluations": method.evaluations,
        "parameters": {key: "inf" if value == math.inf else value for key, value in values},
        "summary": (method.__doc__ or "").splitlines()[0],
        "source": method.source,
    }


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    parameters = " ".join(f"{name}={value}" for name, value in row["parameters"].items())
    noise = "yes" if row["stochastic"] else "no"
    return row["name"], row["order"], noise, row["evaluations"], parameters or "-", row["source"]
