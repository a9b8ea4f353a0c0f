"""The ``afterscene`` command: one command a file; a command parses, calls the library, prints.

Importing this package imports no torch: heavy imports stand inside the commands. An error that the
user can mend is one sentence on stderr and exit code 2; a traceback is a bug of ours.
"""

import signal
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from afterscene import __version__
from afterscene.cli import (
    assess,
    detect,
    doctor,
    gbd,
    hazards,
    licenses,
    models,
    pack,
    plans,
    pre,
    recipes,
    regions,
    samplers,
    samples,
    score,
    studio,
    synthesize,
    train,
)
from afterscene.cli.output import one_line
from afterscene.errors import AftersceneError

__all__ = ["app", "main"]

BAD_INPUT, INTERRUPTED, TERMINATED = 2, 130, 143

WHAT = """Draw post-disaster images with damage labels; train and use damage detectors.

A first look without any data: `afterscene demo`. A damage map of two images: `afterscene assess`.
Synthetic pairs from your own images: `afterscene gbd plan`, then `afterscene gbd build`.
"""

#: Storeys above this one; each that is installed has ``commands.register_STOREY(app)``.
STOREYS = ("lab", "school")


class Verbs(TyperGroup):
    """The root group: turns errors that the user can mend into a sentence."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; AftersceneError and OSError end it with exit code 2."""
        try:
            with warnings.catch_warnings():
                return super().invoke(ctx)
        except AftersceneError as error:
            _stop(str(error), BAD_INPUT)
        except BrokenPipeError:
            raise
        except OSError as error:
            where = error.filename or "a file"
            why = error.strerror or error
            _stop(f"{where}: {why}; check the path, the permissions and the free space", BAD_INPUT)
        except KeyboardInterrupt:
            _stop("stopped; the same command goes on where it left off", INTERRUPTED)


def _stop(sentence: str, code: int) -> NoReturn:
    typer.echo(f"afterscene: {one_line(sentence)}", err=True)
    raise typer.Exit(code)


app = typer.Typer(
    name="afterscene",
    help=WHAT,
    cls=Verbs,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"afterscene {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Draw post-disaster images with damage labels; train and use damage detectors."""


app.command("assess")(assess.assess)
app.command("pre")(pre.pre)
app.command("synthesize")(synthesize.synthesize)
gbd.app.command("plan")(plans.plan)
gbd.app.command("tile")(plans.tile)
app.add_typer(gbd.app, name="gbd")
app.add_typer(detect.app, name="detect")
app.command("score")(score.score)
app.command("studio")(studio.studio)
app.command("train")(train.train)
app.command("pack")(pack.pack)
app.add_typer(hazards.app, name="hazards")
app.add_typer(models.app, name="models")
app.command("regions")(regions.regions)
app.add_typer(recipes.app, name="recipes")
app.add_typer(samplers.app, name="samplers")
app.add_typer(samples.app, name="samples")
app.command("licenses")(licenses.licenses)
app.command("doctor")(doctor.doctor)
for storey in STOREYS:
    if find_spec(f"afterscene.{storey}"):
        getattr(import_module(f"afterscene.{storey}.commands"), f"register_{storey}")(app)


def _terminated(*_: object) -> NoReturn:
    sys.exit(TERMINATED)


def main() -> None:
    """Entry point of the ``afterscene`` command and of ``python -m afterscene``."""
    signal.signal(signal.SIGTERM, _terminated)
    app()
