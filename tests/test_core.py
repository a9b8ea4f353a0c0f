"""The first storey draws an aftermath without lab, school, or a package that an extra brings."""

import json
import shutil
from pathlib import Path

import isolated
import toys

SOURCE = isolated.ROOT / "src" / "afterscene"


def test_the_core_alone_draws_an_aftermath(tmp_path: Path) -> None:
    package = tmp_path / "site" / "afterscene"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("lab", "school", "__pycache__"))
    assert not (package / "lab").exists()
    path = (package.parent, isolated.link_core(tmp_path / "core"))
    image = toys.write_pre(tmp_path, "town_00000001")
    label = tmp_path / "labels" / f"{image.stem}.json"
    drawn = isolated.run(
        *("synthesize", image, "--labels", label, "--hazard", "flood"),
        *("--steps", "1", "--out", tmp_path / "out", "--json"),
        path=path,
        cwd=tmp_path,
    )
    assert (drawn.returncode, drawn.stderr.count("Traceback")) == (0, 0), drawn.stderr
    assert json.loads(drawn.stdout)["pairs"]
    listed = isolated.run("--help", path=path, cwd=tmp_path).stdout
    assert "synthesize" in listed
    assert not {"demo", "compare", "course"} & set(listed.split())


def test_the_core_is_what_no_extra_brings() -> None:
    core = isolated.core()
    assert {"torch", "numpy", "pillow", "rasterio", "opencv-python-headless", "typer"} <= core
    assert not {"pytest", "accelerate", "matplotlib"} & core
