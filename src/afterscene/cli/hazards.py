"""``afterscene hazards list``: the hazards and their fields."""

import typer

from afterscene.cli.output import Json, Output, table

app = typer.Typer(
    help="List the hazards and their parameters.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def group() -> None:
    """List the hazards and their parameters."""


@app.command("list")
def list_hazards(as_json: Json = False) -> None:
    """List the hazards with their fields, units and defaults.

    The names are for --hazard, the fields for --set.
    """
    from afterscene.hazards import HAZARDS, fields_of

    entries = []
    for name, kind in HAZARDS.items():
        fields = [
            {"name": f, "unit": unit, "default": default, "doc": doc}
            for f, unit, default, doc in fields_of(name)
        ]
        summary = (kind.__doc__ or "").strip().splitlines()[0]
        entries.append({"name": name, "summary": summary, "parameters": fields})
    Output(json=as_json).result(entries, "\n\n".join(_text(entry) for entry in entries))


def _text(entry: dict) -> str:
    rows = [
        ("  " + f["name"], f["unit"], "drawn" if f["default"] is None else f["default"], f["doc"])
        for f in entry["parameters"]
    ]
    body = table(("  field", "unit", "default", "meaning"), rows)
    return f"{entry['name']}: {entry['summary']}\n{body}"
