"""A room imports only what stands above it in the picture of CONTRIBUTING.md."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "afterscene"


def picture() -> list[list[str]]:
    """Lines of rooms, top to bottom; a note in brackets stays with its room."""
    (block,) = re.findall(
        r"^```\nafterscene: what.*?^```$", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S
    )
    return [re.split(r" {3,}", line.strip()) for line in re.findall(r"^ {4}.*$", block, re.M)]


LINES = [[room.split(" ")[0] for room in line] for line in picture()]
NEVER_TORCH = [room.split(" ")[0] for line in picture() for room in line if "(never torch)" in room]
RANK = {room: rank for rank, line in enumerate(LINES) for room in line}
NEVER = {
    "hazards": {"diffusion", "networks", "tensors"},
    "detectors": {"diffusion", "conditioning", "hazards"},
    "judging": {"generators", "detectors"},
}
FIGURES = ("bootstrap", "confusion", "folders", "xview2")
WITHOUT_TORCH = ("errors", "files", *NEVER_TORCH, *(f"metrics/{m}.py" for m in FIGURES))


def modules(source: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(source.rglob("*.py")):
        room = path.relative_to(source).parts[0].removesuffix(".py")
        if room != "__init__":
            yield room, path


def imported(text: str, package: tuple[str, ...]) -> set[str]:
    """Dotted names that a module in `package` imports, at the top or inside functions."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*up, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def breaches(source: Path) -> list[str]:
    """Sentences about imports that go the wrong way below `source`."""
    found = []
    for room, path in modules(source):
        where = path.relative_to(source).as_posix()
        if room not in RANK:
            found.append(f"{where}: room {room!r} stands nowhere in the picture of CONTRIBUTING.md")
            continue
        package = ("afterscene", *path.relative_to(source).parts[:-1])
        for name in sorted(imported(path.read_text("utf-8"), package)):
            top, _, rest = name.partition(".")
            other = rest.split(".")[0]
            if top == "torch" and where.startswith(WITHOUT_TORCH):
                found.append(f"{where}: imports torch")
            if top == "torchvision":
                found.append(f"{where}: imports torchvision, which has no CPU build")
            if top != "afterscene" or other in ("", room) or other not in RANK:
                continue
            if RANK[other] >= RANK[room] or other in NEVER.get(room, ()):
                found.append(f"{where}: {room} must not import {other}")
    return found


def test_imports_go_one_way() -> None:
    assert breaches(SOURCE) == []


def test_the_picture_shows_the_rooms_that_are_there() -> None:
    there = {room for room, _ in modules(SOURCE)}
    assert there == {room for line in LINES for room in line}
    assert [line for line in LINES[-2:]] == [["lab"], ["school"]]
    assert "geodata" in NEVER_TORCH


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("geodata/x.py", "import torch", "geodata/x.py: imports torch"),
        ("hazards/x.py", "def f():\n  from torch import nn", "hazards/x.py: imports torch"),
        ("metrics/xview2.py", "import torch.nn", "metrics/xview2.py: imports torch"),
        ("cli/x.py", "import torchvision.ops", "imports torchvision"),
        ("detectors/x.py", "from afterscene.generators import load", "must not import generators"),
        ("detectors/x.py", "from ..generators import load", "must not import generators"),
        ("detectors/x.py", "from afterscene import generators", "must not import generators"),
        ("networks/x.py", "import afterscene.diffusion.losses", "must not import diffusion"),
        ("geodata/x.py", "from afterscene.tensors import to_scene", "must not import tensors"),
        ("novelty/x.py", "", "stands nowhere in the picture"),
    ],
)
def test_a_wrong_import_is_found(tmp_path: Path, path: str, line: str, expected: str) -> None:
    module = tmp_path / path
    module.parent.mkdir(parents=True)
    module.write_text(line)
    assert len(breaches(tmp_path)) == 1
    assert expected in breaches(tmp_path)[0]


def test_right_imports_are_not_found(tmp_path: Path) -> None:
    module = tmp_path / "lab" / "x.py"
    module.parent.mkdir()
    module.write_text(
        "import torch\nfrom afterscene import __version__\nfrom . import y\n"
        "from afterscene.generators import load\nfrom afterscene.metrics.xview2 import f1\n"
    )
    assert breaches(tmp_path) == []


BLIND = "import sys; sys.modules['torch'] = None; "
"""Whatever imports torch after this fails."""


def run(code: str) -> None:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("room", [*NEVER_TORCH, "cli"])
def test_a_room_imports_without_torch(room: str) -> None:
    run(f"{BLIND}import afterscene.{room}")


def test_the_score_needs_no_torch() -> None:
    run(f"{BLIND}import afterscene.metrics.folders")
