"""Run a lesson's notebook in its own Jupyter kernel (nbclient), and keep the outputs.

The kept notebook carries a key of what decides its outputs: the script, every module of this
package that it imports, directly or through others, its size and the data. A lesson is run again
when one of them changes, and not before.
"""

from __future__ import annotations

import ast
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import afterscene
from afterscene.errors import CourseFailed
from afterscene.files import write_atomic
from afterscene.school.catalogue import Lesson

if TYPE_CHECKING:
    from nbformat import NotebookNode

PACKAGE = Path(afterscene.__file__).parent
STARTUP_SECONDS = 300  # of a kernel, on a busy machine
KEPT = "afterscene"  # the entry of a notebook's metadata


def run_lesson(
    lesson: Lesson, *, small: bool, on_cell: Callable[[], None] = lambda: None
) -> NotebookNode:
    """The lesson's notebook with its outputs; ``on_cell`` is called after each cell of code.

    Raises:
        CourseFailed: the lesson ended with an error; the message has its last line.
    """
    book, start = lesson.notebook(), time.perf_counter()
    run_notebook(book, lesson.name, small=small, on_cell=on_cell)
    seconds = round(time.perf_counter() - start, 1)
    book.metadata[KEPT] = {"key": _key(lesson, small), "seconds": seconds, "small": small}
    return book


def run_notebook(
    book: NotebookNode, name: str, *, small: bool, on_cell: Callable[[], None] = lambda: None
) -> None:
    """Run every cell of ``book`` in place, in a temporary folder.

    Raises:
        CourseFailed: a cell ended with an error, or the kernel died.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from traitlets.config import Config

    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            book,
            config=Config(KernelManager={"transport_encryption": "auto"}),
            coalesce_streams=True,
            timeout=None,
            startup_timeout=STARTUP_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            on_cell_executed=lambda **_: on_cell(),
        )
        try:
            client.execute(env=_environment(folder, small))
        except (CellControlSignal, DeadKernelError) as error:
            raise CourseFailed(f"lesson {name} failed ({_why(error)})") from error


def _environment(folder: str, small: bool) -> dict[str, str]:
    """The variables of the kernel. It starts in another folder and without IPython's own files."""
    known = dict(os.environ)
    if known.get("AFTERSCENE_DATA"):
        known["AFTERSCENE_DATA"] = str(Path(known["AFTERSCENE_DATA"]).resolve())
    return known | {"AFTERSCENE_SMALL": "1" if small else "0", "IPYTHONDIR": f"{folder}/.ipython"}


def _why(error: Exception) -> str:
    named = getattr(error, "ename", "")
    text = f"{named}: {getattr(error, 'evalue', '')}" if named else str(error)
    return text.strip().splitlines()[0]


def write_notebook(book: NotebookNode, path: Path) -> Path:
    """Write ``book`` as ``.ipynb``."""
    import nbformat

    return write_atomic(path, nbformat.writes(book).encode())


def kept_notebook(lesson: Lesson, folder: Path, *, small: bool) -> NotebookNode | None:
    """What an earlier run left in ``folder``, if nothing that decides it has changed since."""
    import nbformat

    try:
        book = nbformat.read(folder / f"{lesson.name}.ipynb", as_version=nbformat.NO_CONVERT)
        return book if book.metadata[KEPT]["key"] == _key(lesson, small) else None
    except (OSError, ValueError, KeyError, AttributeError, nbformat.ValidationError):
        return None


def notes_of(book: NotebookNode) -> list[str]:
    """The lines that the cells printed."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    said = (o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")
    return "".join(said).splitlines()


def _key(lesson: Lesson, small: bool) -> str:
    digest = hashlib.sha256(f"{small} {os.environ.get('AFTERSCENE_DATA', '')}".encode())
    for path in sorted(sources_of(lesson.path)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def sources_of(script: Path) -> set[Path]:
    """``script`` and every module of this package that it imports, directly or through others."""
    found, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return found


def _imported(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            first, *parts = name.split(".")
            place = PACKAGE.joinpath(*parts)
            files = (place.with_suffix(".py"), place / "__init__.py")
            if first == PACKAGE.name and parts:
                yield from filter(Path.is_file, files)
