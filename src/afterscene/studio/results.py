"""What a job made, as the page shows it and as files to take home."""

import json
import math
import shutil
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse

from afterscene.files import write_atomic
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.export import find_exporter
from afterscene.hazards import HAZARDS
from afterscene.studio.jobs import Job, Line
from afterscene.studio.store import NotThere
from afterscene.studio.work import ABOUT, RUN

_PACKING = threading.Lock()


def hazard_json(name: str) -> dict[str, Any]:
    """A hazard with the controls that its fields are."""
    kind = HAZARDS[name]
    rows = [f for f in fields(kind) if "low" in f.metadata and f.name != "severity"]
    return {
        "name": name,
        "summary": (kind.__doc__ or "").strip().splitlines()[0],
        "name_zh": kind.spoken.nouns_zh.split(",")[0].strip(),
        "unit": kind.unit,
        "fields": [
            {
                "name": f.name,
                "unit": f.metadata["unit"],
                "default": f.default,
                "doc": f.metadata["doc"],
                "low": _finite(f.metadata["low"]),
                "high": _finite(f.metadata["high"]),
            }
            for f in rows
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def job_json(job: Job, line: Line) -> dict[str, Any]:
    """State, place, progress and results of a job."""
    now = line.now if line.now is not None and line.now.id == job.id else None
    done = job.state == "done"
    about = line.folder(job) / ABOUT
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "place": line.place(job),
        "error": job.error,
        "asked": dict(job.asked),
        "progress": None if now is None else {"done": now.done, "total": now.total},
        "step": now.step if now else None,
        "files": sorted(FILES[job.kind]) if done else [],
        "made": json.loads(about.read_text()) if done else None,
    }


def file(job: Job, folder: Path, name: str) -> FileResponse:
    """One of the files of a finished job by its name. Raises NotThere, BadLabel, MissingExtra."""
    if job.state != "done" or name not in FILES[job.kind]:
        raise NotThere(f"the job has no file {name[:40]!r}")
    path = folder / name
    with _PACKING:
        if not path.is_file():
            FILES[job.kind][name](folder, path)
    shown = name.endswith((".jpg", ".html"))
    return FileResponse(path, filename=None if shown else f"afterscene-{name}")


def _there(folder: Path, path: Path) -> None:
    raise NotThere(f"the file {path.name} was removed")


def _pair(folder: Path, path: Path) -> None:
    """The whole run as it is on disk."""
    write_atomic(path, lambda temporary: _zip(folder / RUN, temporary))


def _labels(folder: Path, path: Path) -> None:
    (entry,) = Dataset(folder / RUN)
    assert entry.label.path is not None
    shutil.copyfile(entry.label.path, path)


def _exported(name: str) -> Callable[[Path, Path], None]:
    def write(folder: Path, path: Path) -> None:
        out = folder / f"as-{name}"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        made = find_exporter(name).write(Dataset(folder / RUN), out)
        if len(made) == 1:
            shutil.move(made[0], path)
        else:
            write_atomic(path, lambda temporary: _zip(out, temporary))
        shutil.rmtree(out)

    return write


def _zip(folder: Path, path: Path) -> None:
    """All files of a folder; pictures are packed already."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, file.relative_to(folder))


Maker = Callable[[Path, Path], None]
FILES: Mapping[str, Mapping[str, Maker]] = {
    "aftermath": {
        "pre.jpg": _there,
        "post.jpg": _there,
        "pair.zip": _pair,
        "labels.json": _labels,
        "buildings.gpkg": _exported("geopackage"),
        "cog.zip": _exported("cog"),
    },
    "assess": {"damage.gpkg": _there, "damage.qml": _there, "damage.html": _there},
    "build": {"pair.zip": _pair},
}
"""What each kind of job gives, by name, and what makes it when it is asked for."""
