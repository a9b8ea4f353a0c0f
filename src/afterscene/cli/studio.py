"""``afterscene studio``: the whole job on one page in a browser."""

import os
from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.output import Json, Output
from afterscene.errors import MissingExtra

Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0: any free one.")
]
NoBrowser = Annotated[
    bool, typer.Option("--no-browser", help="Only print the address; open no browser.")
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        help="Where uploads, jobs and results are kept. Default: afterscene/studio in the folder "
        "for the state of programs, ~/.local/state.",
    ),
]

Sets = Annotated[
    list[Path] | None,
    typer.Option("--gbd", help="Output folder of `gbd build` to look at; repeatable."),
]
Pages = Annotated[
    list[Path] | None,
    typer.Option(
        "--pages",
        help="Folder of lessons or reports to read: the output of `course run`, `compare`, "
        "`evaluate` or `demo`; repeatable.",
    ),
]


def studio(
    port: Port = 8760,
    no_browser: NoBrowser = False,
    gbd: Sets = None,
    pages: Pages = None,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Open the studio: a page in the browser for scene, hazard, aftermath, assessment and sets.

    It answers this machine alone and loads nothing from the network. Stop it with Ctrl-C; what
    was running can go on when it is started again.
    """
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            "the studio needs fastapi and uvicorn, which are not installed; "
            'install them with: pip install "afterscene[studio]"'
        ) from error
    from afterscene.gbd.dataset import Dataset
    from afterscene.studio.app import serve

    def show(address: str) -> None:
        Output(json=as_json).result({"address": address}, f"The studio is open: {address}")

    for path in gbd or ():
        Dataset(path)  # what is no set is said before the browser opens
    given = {"folders": gbd or (), "pages": pages or ()}
    serve(folder or _state(), port, show, browser=not no_browser, **given)


def _state() -> Path:
    """The folder for the state of programs (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "afterscene" / "studio"
