"""The package beside what a plain `pip install afterscene` brings, and nothing else."""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "pyproject.toml"


def normal(requirement: str) -> str:
    """``Pillow>=11; x`` -> ``pillow``."""
    (name,) = re.findall(r"^[A-Za-z0-9._-]+", requirement.strip())
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: set[str]) -> set[str]:
    """Normal names of the installed distributions that `names` bring, without their extras."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name in found:
            continue
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        found.add(name)
        names |= {normal(line) for line in needed if "extra ==" not in line}
    return found


def core() -> set[str]:
    """What `pip install afterscene` installs."""
    listed = re.findall(r"^dependencies = \[(.*?)^\]", PROJECT.read_text(), re.M | re.S)[0]
    return closure({normal(line) for line in re.findall(r'"([^"]+)"', listed)})


def link_core(site: Path) -> Path:
    """Fill `site` with links to the modules of these distributions; returns it."""
    site.mkdir()
    for name in sorted(core()):
        found = distribution(name)
        tops = {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}
        for top in tops:
            there = Path(str(found.locate_file(top)))
            if there.exists() and not (site / top).exists():
                (site / top).symlink_to(there)
    return site


def run(*words: object, path: tuple[Path, ...], cwd: Path) -> subprocess.CompletedProcess[str]:
    """`afterscene WORDS` by an interpreter that sees only the folders of `path`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        [sys.executable, "-S", "-m", "afterscene", *map(str, words)],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
