"""``afterscene samplers list``: the samplers, their order and their parameters."""

import typer

from afterscene.cli.talk import Json, Talk, table

app = typer.Typer(
    help="The samplers of the diffusion model.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def group() -> None:
    """The samplers of the diffusion model."""


@app.command("list")
def list_samplers(as_json: Json = False) -> None:
    """List the samplers: order of the error, noise, network calls a step, parameters, source."""
    from afterscene.diffusion.samplers import describe

    rows = describe()
    text = [
        (
            row["name"],
            row["order"],
            "yes" if row["stochastic"] else "no",
            row["evaluations"],
            " ".join(f"{name}={value}" for name, value in row["parameters"].items()) or "-",
            row["source"] or "-",
        )
        for row in rows
    ]
    head = ("name", "order", "noise", "calls", "parameters", "source")
    Talk(json=as_json).result(rows, table(head, text))
