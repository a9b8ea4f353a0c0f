"""How pages are made: a Jinja2 template filled with records, with all text escaped.

Templates are in ``pages/templates``; those of another room are in a folder of its own and extend
``page.html``. A page loads nothing: style sheet and pictures are embedded.
"""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from afterscene.files import write_atomic
from afterscene.geodata.damage import COLOURS
from afterscene.pages.pictures import data_uri

TEMPLATES = Path(__file__).parent / "templates"
NOTHING = "–"


def render(template: str, *, folder: Path = TEMPLATES, **values: Any) -> str:
    """The template with that name, in `folder` or here, filled with `values`."""
    return _environment(folder).get_template(template).render(**values)


def write_page(path: Path, template: str, *, folder: Path = TEMPLATES, **values: Any) -> Path:
    """Render and write atomically. Raises OutputConflict if `path` cannot be written."""
    return write_atomic(path, render(template, folder=folder, **values).encode())


@cache
def _environment(folder: Path) -> Environment:
    made = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=select_autoescape(disabled_extensions=("md",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(figure=figure, jpeg=data_uri)
    made.globals["colours"] = COLOURS
    return made


def figure(value: str | int | float | None) -> str:
    """Floats with three decimals, integers with commas, text unchanged, a dash for None."""
    if value is None or isinstance(value, str):
        return NOTHING if value is None else value
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
