"""The web application and the server that runs it, on this machine alone."""

import json
import socket
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.responses import Response

from afterscene import __version__
from afterscene.errors import AftersceneError, BadParameter
from afterscene.gbd.rundir import locked
from afterscene.pages.render import TEMPLATES, render
from afterscene.studio.guard import Guard
from afterscene.studio.jobs import Line
from afterscene.studio.learnroutes import learn_routes
from afterscene.studio.reading import Reading
from afterscene.studio.routes import UPLOADS, things, uploads, work
from afterscene.studio.scenes import Scenes
from afterscene.studio.setroutes import set_routes
from afterscene.studio.sets import Sets
from afterscene.studio.store import LARGEST, NotThere, Store, TooMuch
from afterscene.studio.work import Worker

HERE = Path(__file__).parent
HOST = "127.0.0.1"
SERVER: dict[str, Any] = {
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "ws": "none",
    "timeout_graceful_shutdown": 2,
}
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
STATUS = {NotThere: HTTPStatus.NOT_FOUND, TooMuch: HTTPStatus(413)}


def make_app(
    root: Path,
    port: int,
    made: Callable[[Store], Worker] = Worker,
    folders: Sequence[Path] = (),
    pages: Sequence[Path] = (),
) -> Guard:
    """The application over a folder, as ASGI.

    ``made`` makes what does the jobs; ``folders`` are sets of pairs that can be looked at,
    ``pages`` folders of lessons and reports.

    Raises OutputConflict: the folder is not ours.
    """
    store = Store.open(root)
    worker = made(store)
    line, scenes = Line(store, worker, worker.ready), Scenes(store)

    @asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        line.start()
        yield
        line.stop()

    api = FastAPI(
        title="AfterScene studio",
        version=__version__,
        lifespan=alive,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
    )
    api.include_router(things(store, scenes))
    api.include_router(uploads(store))
    api.include_router(work(store, scenes, line))
    api.include_router(set_routes(Sets(line, tuple(folders))))
    api.include_router(learn_routes(Reading(tuple(pages))))
    _add_pages(api)

    @api.exception_handler(AftersceneError)
    async def told(_: Request, error: AftersceneError) -> JSONResponse:
        """An error that the user can mend is one sentence, as in the commands."""
        status = STATUS.get(type(error), HTTPStatus(422))
        return JSONResponse({"error": store.readable(str(error))}, status)

    @api.exception_handler(RequestValidationError)
    async def unread(_: Request, error: RequestValidationError) -> Response:
        """A wrong field, without what was sent: not all of that (NaN) can be sent back."""
        wrong = [{key: one[key] for key in ("type", "loc", "msg")} for one in error.errors()]
        return Response(json.dumps({"detail": wrong}), 422, media_type="application/json")

    return Guard(app=api, token=store.token, port=port, uploads=UPLOADS, largest=LARGEST)


def _add_pages(api: FastAPI) -> None:
    """The page, its parts, and the description of the interface."""
    parts = {path.name: path.read_bytes() for path in (HERE / "static").iterdir()}
    parts["style.css"] = (TEMPLATES / "style.css").read_bytes()
    parts["pair.css"] = (TEMPLATES / "pair.css").read_bytes()

    def answer(name: str, body: bytes) -> Callable[[], Response]:
        def part() -> Response:
            return Response(body, media_type=KINDS[Path(name).suffix])

        return part

    for name, body in parts.items():
        where = "/" if name == "index.html" else f"/{name}"
        api.get(where, include_in_schema=False)(answer(name, body))

    @api.get("/docs", include_in_schema=False)
    def docs() -> Response:
        """The interface in words."""
        page = render("api.html", folder=HERE / "templates", described=api.openapi())
        return Response(page, media_type="text/html")


def server_of(guard: Guard) -> uvicorn.Server:
    """The server of an application."""
    return uvicorn.Server(uvicorn.Config(guard, **SERVER))


def serve(
    root: Path,
    port: int,
    show: Callable[[str], Any],
    *,
    browser: bool,
    folders: Sequence[Path] = (),
    pages: Sequence[Path] = (),
) -> None:
    """Run until it is stopped; ``show`` gets the address once it answers.

    Raises:
        BadParameter: the port is taken.
        OutputConflict: the folder is not the studio's, or another studio uses it.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise BadParameter(
                f"--port {port} is not free ({error.strerror}); give another one"
            ) from error
        port = listener.getsockname()[1]
        Store.open(root)
        with locked(root):
            guard = make_app(root, port, folders=folders, pages=pages)
            address = f"http://{HOST}:{port}/?token={guard.token}"
            show(address)
            if browser:
                webbrowser.open(address)
            server_of(guard).run(sockets=[listener])
