"""`pip install afterscene` without extras: no lab, no school, no package that an extra brings."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import toys

SOURCE = Path(__file__).resolve().parents[1] / "src" / "afterscene"
PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"

BLIND = """
import importlib.abc, json, os, sys
FORBIDDEN = set(json.loads(os.environ["FORBIDDEN"]))
class Blind(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in FORBIDDEN:
            raise ModuleNotFoundError(f"{name} is not installed", name=name)
sys.meta_path.insert(0, Blind())
from afterscene.cli import main
main()
"""


def closure(names: set[str]) -> set[str]:
    """Normal names of the distributions that `names` bring, without their extras."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name in found:
            continue
        found.add(name)
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        names |= {normal(line) for line in needed if "extra ==" not in line}
    return found


def normal(requirement: str) -> str:
    """``Pillow>=11; x`` -> ``pillow``."""
    (name,) = re.findall(r"^[A-Za-z0-9._-]+", requirement.strip())
    return re.sub(r"[-_.]+", "-", name).lower()


def core() -> set[str]:
    """What `pip install afterscene` installs."""
    listed = re.findall(r"^dependencies = \[(.*?)^\]", PROJECT.read_text(), re.M | re.S)[0]
    return closure({normal(line) for line in re.findall(r'"([^"]+)"', listed)})


def brought_by_extras() -> list[str]:
    """Top-level modules that are installed here and that the core does not bring."""
    kept = core()
    return sorted(
        module
        for module, owners in packages_distributions().items()
        if not {normal(owner) for owner in owners} & kept and module != "afterscene"
    )


def run(package: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(package.parent),
        "FORBIDDEN": json.dumps(brought_by_extras()),
    }
    return subprocess.run(
        [sys.executable, "-c", BLIND, *map(str, words)],
        env=environment,
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_core_alone_draws_an_aftermath(tmp_path: Path) -> None:
    package = tmp_path / "site" / "afterscene"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("lab", "school", "__pycache__"))
    assert not (package / "lab").exists()
    image = toys.write_pre(tmp_path, "town_00000001")
    label = tmp_path / "labels" / f"{image.stem}.json"
    out = tmp_path / "out"
    drawn = run(
        package,
        *("synthesize", image, "--labels", label, "--hazard", "flood"),
        *("--steps", "1", "--out", out, "--json"),
    )
    assert (drawn.returncode, drawn.stderr.count("Traceback")) == (0, 0), drawn.stderr
    assert json.loads(drawn.stdout)["pairs"]
    listed = run(package, "--help").stdout
    assert "synthesize" in listed
    assert not {"demo", "compare", "course"} & set(listed.split())


def test_what_is_kept_out_is_what_extras_bring() -> None:
    out = brought_by_extras()
    assert {"pytest", "accelerate"} <= set(out)
    assert not {"torch", "numpy", "PIL", "rasterio", "cv2", "typer"} & set(out)
