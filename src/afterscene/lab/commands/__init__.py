"""The commands of the lab: ``demo``, ``compare``, ``evaluate``."""

import typer

from afterscene.lab.commands import compare, demo, evaluate


def register_lab(app: typer.Typer) -> None:
    """Add the commands of the lab to ``app``."""
    app.command("demo")(demo.demo)
    app.command("compare")(compare.compare)
    app.add_typer(evaluate.app, name="evaluate")
