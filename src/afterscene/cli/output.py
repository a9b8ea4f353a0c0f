"""How commands report: results on stdout, everything else on stderr.

stdout is for programs (``--json``: one JSON value), stderr for people: a progress bar with rate and
time left on a terminal, a line every few seconds in a log. ``--quiet`` silences all but errors;
the environment variable ``AFTERSCENE_NO_PROGRESS`` silences only the bars.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import typer

from afterscene.cli.warned import Warned

LOG_SECONDS = 5.0  # seconds between lines where stderr is not a terminal

PACE = 3600.0  # seconds over which a bar averages its speed: a step may take half a minute

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="Print no progress and no warnings, only errors.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of all random choices.")]

Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Output:
    """The two switches of each command, and what they switch."""

    json: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        self.warned.listen()

    @cached_property
    def warned(self) -> Warned:
        """What the library warns of from now on."""
        return Warned(say=self.say)

    def say(self, text: str) -> None:
        """A line for a person."""
        if not self.quiet:
            typer.echo(one_line(text), err=True)

    def result(self, value: Any, text: str) -> None:
        """The command's result: ``value`` with ``--json``, ``text`` without.

        An object gets a member ``warnings`` where there were any.
        """
        lines = self.warned.finish()
        if lines and isinstance(value, dict):
            value = {**value, "warnings": lines}
        typer.echo(json.dumps(value, indent=2, ensure_ascii=False) if self.json else text)

    def left_out(self, record: Any) -> None:
        """A line for each reason for which something was left out or changed."""
        for line in record.lines():
            self.say(line)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Advance]:
        """A bar on stderr; call what it yields with the number of things just done.

        With the first of them the warnings are printed that came up on the way there.
        """
        if self.quiet or os.environ.get("AFTERSCENE_NO_PROGRESS"):
            yield lambda _: self.warned.show()
            return
        from rich.console import Console

        console = Console(stderr=True)
        bar = _bar(console, label, total) if console.is_terminal else _lines(label, total)
        with bar as advance:

            def step(n: int) -> None:
                self.warned.show()
                advance(n)

            yield step


@contextmanager
def _bar(console: Any, label: str, total: int) -> Iterator[Advance]:
    from rich import progress as parts

    columns = (
        parts.TextColumn("{task.description}"),
        parts.BarColumn(),
        parts.MofNCompleteColumn(),
        parts.TextColumn("{task.fields[rate]}"),
        parts.TimeRemainingColumn(),
    )
    with parts.Progress(*columns, console=console, speed_estimate_period=PACE) as progress:
        task = progress.add_task(label, total=total, rate="")
        start = time.monotonic()
        done = 0

        def advance(n: int) -> None:
            nonlocal done
            done += n
            progress.update(task, advance=n, rate=_rate(done, time.monotonic() - start))

        yield advance


@contextmanager
def _lines(label: str, total: int) -> Iterator[Advance]:
    start = last = time.monotonic()
    done = 0

    def advance(n: int) -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if done and (done >= total or now - last >= LOG_SECONDS):
            last = now
            left = (now - start) / done * (total - done)
            rate = _rate(done, now - start)
            typer.echo(f"{label}: {done}/{total}, {rate}, {left:.0f} s left", err=True)

    yield advance


def _rate(done: int, seconds: float) -> str:
    if not done:
        return ""
    rate = done / max(seconds, 1e-9)
    return f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns of text, as wide as they need to be; never cut to the terminal."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    return "\n".join(line.rstrip() for line in lines)


def one_line(text: str) -> str:
    """The text with line ends and control characters shown as escapes: no log forgery."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
