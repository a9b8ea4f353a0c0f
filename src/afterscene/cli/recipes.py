"""``afterscene recipes list``: what ``afterscene train`` can train."""

import typer

from afterscene.cli.output import Json, Output, table

app = typer.Typer(help="List what can be trained.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """List what can be trained."""


@app.command("list")
def list_recipes(as_json: Json = False) -> None:
    """List the recipes with their settings and defaults.

    The settings are for `train --set`.
    """
    from afterscene.recipes.overrides import keys_of
    from afterscene.recipes.registry import RECIPES

    entries = [
        {
            "name": name,
            "summary": (make.__doc__ or "").strip().splitlines()[0],
            "settings": keys_of(make()),
        }
        for name, make in RECIPES.items()
    ]
    Output(json=as_json).result(entries, "\n\n".join(_text(entry) for entry in entries))


def _text(entry: dict) -> str:
    rows = [("  " + key, _written(value)) for key, value in entry["settings"].items()]
    return f"{entry['name']}: {entry['summary']}\n{table(('  setting', 'default'), rows)}"


def _written(value: object) -> str:
    """As ``--set`` takes it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        inner = (f"[{_written(v)}]" if isinstance(v, tuple) else _written(v) for v in value)
        return ",".join(inner)
    return str(value)
