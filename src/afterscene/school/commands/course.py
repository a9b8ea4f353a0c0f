"""``afterscene course list|run|build``: the lessons, and the pages made of them."""

import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from afterscene.cli.options import Out
from afterscene.cli.output import Json, Output, Quiet, table
from afterscene.school.commands.league import league

app = typer.Typer(
    help="From the average image to conditional diffusion, in lessons that run.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Small = Annotated[
    bool, typer.Option("--small", help="Seconds instead of minutes: only to see that it runs.")
]
OUT = Path("out/course")


app.command("league")(league)


@app.callback()
def group() -> None:
    """From the average image to conditional diffusion, in lessons that run."""


@app.command("list")
def list_lessons(as_json: Json = False) -> None:
    """List the lessons: number, title, and the script that you may copy and change."""
    from afterscene.school.catalogue import lessons

    found = lessons()
    entries = [{"number": x.number, "title": x.title, "path": str(x.path)} for x in found]
    rows = [(x.number, x.title, x.path.name) for x in found]
    Output(json=as_json).result(entries, table(("number", "title", "script"), rows))


@app.command("run")
def run(
    number: Annotated[str, typer.Argument(help="A number out of `afterscene course list`.")],
    out: Out = OUT,
    small: Small = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run one lesson, at most 5 minutes on 2 cores; write its page and open it."""
    from afterscene.school import site
    from afterscene.school.catalogue import find_lesson

    lesson = find_lesson(number)
    output = Output(json=as_json, quiet=quiet)
    played = _play(lesson, _prepared(out), small, output)
    site.build_site(_kept(out, small, besides=played), out)
    page = out / f"{lesson.name}.html"
    notes = [event.content for event in played.events if event.kind == "note"]
    result = {"lesson": lesson.name, "page": str(page), "seconds": played.seconds, "notes": notes}
    output.result(result, "\n".join([*notes, f"page: {page}"]))
    if sys.stdout.isatty() and not (quiet or as_json):
        webbrowser.open(page.resolve().as_uri())


@app.command("build")
def build_command(
    out: Out = OUT, small: Small = False, as_json: Json = False, quiet: Quiet = False
) -> None:
    """Run every lesson that is new or changed and write the pages of the whole course."""
    from afterscene.school import site
    from afterscene.school.catalogue import lessons
    from afterscene.school.player import played_before

    output = Output(json=as_json, quiet=quiet)
    figures = _prepared(out)
    played = [
        played_before(x, figures, small=small) or _play(x, figures, small, output)
        for x in lessons()
    ]
    site.build_site(played, out)
    seconds = {p.lesson.name: round(p.seconds, 1) for p in played}
    index = out / "index.html"
    output.result({"index": str(index), "seconds": seconds}, f"page: {index}")


def _prepared(out: Path) -> Path:
    from afterscene.files import prepare_output
    from afterscene.school.site import FIGURES

    return prepare_output(out, "course", run={}) / FIGURES


def _play(lesson: Any, figures: Path, small: bool, output: Output) -> Any:
    from afterscene.school.player import play

    starts = [cell.first for cell in lesson.cells() if cell.kind == "code"]
    with output.progress(f"lesson {lesson.number}", len(starts)) as advance:
        reached = 0

        def on_line(line: int) -> None:
            nonlocal reached
            before = sum(start <= line for start in starts) - 1  # the cell under way is not done
            if before > reached:
                advance(before - reached)
                reached = before

        played = play(lesson, figures, small=small, on_line=on_line)
        advance(len(starts) - reached)
    return played


def _kept(out: Path, small: bool, *, besides: Any) -> list[Any]:
    """Every lesson that has run into ``out``, with ``besides`` in its place."""
    from afterscene.school.catalogue import lessons
    from afterscene.school.player import played_before
    from afterscene.school.site import FIGURES

    found = []
    for lesson in lessons():
        if lesson == besides.lesson:
            found.append(besides)
        elif earlier := played_before(lesson, out / FIGURES, small=small):
            found.append(earlier)
    return found
