"""The one way to a page: a Jinja2 template filled with records, every text in it escaped.

Templates lie in ``pages/templates``, those of another room in a folder of its own, from which they
extend ``page.html``. A page loads nothing: the style sheet and the pictures stand in it.
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
    """The template of that name, in `folder` or here, filled with `values`."""
    return _environment(folder).get_template(template).render(**values)


def write_page(path: Path, template: str, *, folder: Path = TEMPLATES, **values: Any) -> Path:
    """Render and write atomically. Raises OutputConflict where `path` cannot be written."""
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
    """Floats with three decimals, whole numbers with commas, text as it is, a dash for None."""
    if value is None or isinstance(value, str):
        return NOTHING if value is None else value
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
