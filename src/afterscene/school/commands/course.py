"""``afterscene course list|run|export``: the lessons, as pages and as notebooks."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from afterscene.cli.options import Out
from afterscene.cli.output import Json, Output, Quiet, table
from afterscene.school.commands.league import league

if TYPE_CHECKING:
    from afterscene.school.catalogue import Lesson

app = typer.Typer(
    help="Lessons on generative models, from averages to diffusion.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Small = Annotated[
    bool, typer.Option("--small", help="Seconds instead of minutes: only to see that it runs.")
]
OUT = Path("out/course")
ALL = "all"


app.command("league")(league)


@app.callback()
def group() -> None:
    """Lessons on generative models, from averages to diffusion."""


@app.command("list")
def list_lessons(as_json: Json = False) -> None:
    """List the lessons and tutorials: number, title, and the script that you may copy."""
    from afterscene.school.catalogue import whole_course

    found = whole_course()
    entries = [{"number": x.number, "title": x.title, "path": str(x.path)} for x in found]
    rows = [(x.number, x.title, x.path.name) for x in found]
    Output(json=as_json).result(entries, table(("number", "title", "script"), rows))


@app.command("run")
def run(
    number: Annotated[
        str, typer.Argument(help="A number out of `afterscene course list`, or: all.")
    ],
    out: Out = OUT,
    small: Small = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run one lesson, at most 5 minutes on 2 cores, or all that are new or changed; open the page.

    What ran before into the same folder stays in its pages.
    """
    from afterscene.files import prepare_output
    from afterscene.school.catalogue import find_lesson, require_course, whole_course
    from afterscene.school.notebook import KEPT, notes_of

    require_course()
    asked = whole_course() if number == ALL else [find_lesson(number)]
    output = Output(json=as_json, quiet=quiet)
    prepare_output(out, "course", run={})
    ran = run_lessons(asked, out, small=small, again=number != ALL, output=output)
    _write_site(ran, out)
    page = out / ("index.html" if number == ALL else f"{asked[0].name}.html")
    seconds = {lesson.name: book.metadata[KEPT]["seconds"] for lesson, book in ran}
    notes = [] if number == ALL else notes_of(dict(ran)[asked[0]])
    result = {"page": str(page), "seconds": seconds, "notes": notes}
    output.result(result, "\n".join([*notes, f"page: {page}"]))
    if sys.stdout.isatty() and not (quiet or as_json):
        webbrowser.open(page.resolve().as_uri())


def run_lessons(
    asked: Sequence[Lesson], folder: Path, *, small: bool, again: bool, output: Output
) -> list[tuple[Lesson, Any]]:
    """The notebooks of ``asked``, and of all other lessons that ran into ``folder`` before.

    What is new or changed is run and kept in ``folder``; with ``again`` all of ``asked`` is.
    """
    from afterscene.school.catalogue import whole_course
    from afterscene.school.notebook import kept_notebook, write_notebook

    ran = []
    for lesson in whole_course():
        due = lesson in asked
        book = None if due and again else kept_notebook(lesson, folder, small=small)
        if book is None and due:
            book = _run(lesson, small, output)
            write_notebook(book, folder / f"{lesson.name}.ipynb")
        ran += [(lesson, book)] if book else []
    return ran


def _run(lesson: Lesson, small: bool, output: Output) -> Any:
    from afterscene.school.notebook import run_lesson

    cells = sum(cell.cell_type == "code" for cell in lesson.notebook().cells)
    with output.progress(f"lesson {lesson.number}", cells) as advance:
        return run_lesson(lesson, small=small, on_cell=lambda: advance(1))


def _write_site(ran: Sequence[tuple[Lesson, Any]], out: Path) -> None:
    import tempfile

    from afterscene.school.markdown import write_pages
    from afterscene.school.site import build_site

    with tempfile.TemporaryDirectory() as pages:
        write_pages(ran, Path(pages))
        build_site(Path(pages), out)


@app.command("export")
def export(
    numbers: Annotated[
        list[str] | None, typer.Argument(help="Numbers out of `afterscene course list`; all.")
    ] = None,
    out: Out = Path("notebooks"),
    as_json: Json = False,
) -> None:
    """Write lessons and tutorials as Jupyter notebooks that have not run; yours to change."""
    from afterscene.files import prepare_output
    from afterscene.school.catalogue import find_lesson, require_course, whole_course
    from afterscene.school.notebook import write_notebook

    require_course()
    asked = [find_lesson(number) for number in numbers] if numbers else whole_course()
    prepare_output(out, "notebooks")
    written = [write_notebook(x.notebook(), out / f"{x.name}.ipynb") for x in asked]
    entries = [str(path) for path in written]
    Output(json=as_json).result(entries, "\n".join(entries))
