"""Pages that were made before: folders of `course run`, `compare`, `evaluate` and `demo`.

The command is given the folders. A page is found by its name in a list that is made from what lies
there, so that no name leads anywhere else.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from afterscene.errors import MissingFile
from afterscene.files import MARKER, visible
from afterscene.studio.store import NotThere

FIRST = ("index.html", "report.html", "stats.html")
KINDS = {
    **{".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".txt": "text/plain"},
    **{".json": "application/json", ".xml": "text/xml", ".ipynb": "application/json"},
    **{".png": "image/png", ".jpg": "image/jpeg", ".svg": "image/svg+xml", ".gif": "image/gif"},
    **{".webp": "image/webp", ".ico": "image/x-icon", ".woff2": "font/woff2"},
}
POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""The course has a search that is written into its pages; all of it is from here."""


@dataclass(frozen=True)
class Reading:
    """The folders, each with a first page. Raises MissingFile."""

    folders: Sequence[Path]

    def __post_init__(self) -> None:
        for folder in self.folders:
            if self._first(folder) is None:
                raise MissingFile(
                    f"{folder} holds none of {', '.join(FIRST)}; give the output folder of "
                    "`course run`, `compare`, `evaluate` or `demo`"
                )

    def listed(self) -> list[dict[str, Any]]:
        """Name, kind of run, and address of the first page of each."""
        return [
            {
                "name": folder.name,
                "lessons": self._kind(folder) == "course",
                "page": f"/pages/{number}/{self._first(folder)}",
            }
            for number, folder in self._numbered.items()
        ]

    def find(self, number: str, name: str) -> tuple[Path, str]:
        """A file and its media type. Raises NotThere."""
        path = self._files.get((number, name))
        if path is None:
            raise NotThere(f"there is no page {name[:60]!r}")
        return path, KINDS[path.suffix.lower()]

    @cached_property
    def _numbered(self) -> Mapping[str, Path]:
        each = ((str(folder.resolve()).encode(), folder) for folder in self.folders)
        return {hashlib.sha256(name).hexdigest()[:32]: folder for name, folder in each}

    @cached_property
    def _files(self) -> Mapping[tuple[str, str], Path]:
        return {
            (number, path.relative_to(folder).as_posix()): path
            for number, folder in self._numbered.items()
            for path in visible(folder, deep=True)
            if path.suffix.lower() in KINDS and path.is_file() and not path.is_symlink()
        }

    @staticmethod
    def _first(folder: Path) -> str | None:
        return next((name for name in FIRST if (folder / name).is_file()), None)

    @staticmethod
    def _kind(folder: Path) -> str:
        marker = folder / MARKER
        return str(json.loads(marker.read_text()).get("kind", "")) if marker.is_file() else ""
