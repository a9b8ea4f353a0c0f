"""What is built can be installed and used: wheel, source archive, extras, metadata."""

import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
import yaml

import afterscene
import isolated
import toys

ROOT = isolated.ROOT
NEEDED = {
    "afterscene/py.typed",
    "afterscene/lite0_offsets.json",
    "afterscene/pages/templates/page.html",
    "afterscene/studio/static/index.html",
    "afterscene/lab/templates/demo.html",
    "afterscene/samples/README.md",
    "afterscene/school/lessons/zh/09_robustness.md",
    *(f"afterscene/weights/{name}/config.json" for name in ("default", "layout", "scenes", "unet")),
}


def build(what: str, out: Path) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{what}", "--outdir", out, ROOT]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = out.iterdir()
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def path(wheel, tmp_path_factory) -> tuple[Path, Path]:
    """The unpacked wheel, and the core's packages: an installation without extras."""
    site = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(site)
    return site, isolated.link_core(site.parent / "core")


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Path:
    """A folder with an xBD tree, a plan and other inputs of the commands below."""
    folder = tmp_path_factory.mktemp("places")
    toys.toy_tree(folder / "xbd", count=1)
    wish = {"hazards": ("flood",), "count": 1, "seed": 0}
    toys.plan_file(folder / "plan.jsonl", folder / "xbd", shard_size=1, **wish)
    (folder / "roofs.parquet").write_bytes(b"PAR1" + bytes(20) + b"PAR1")
    return folder


def files_under(package: Path) -> set[str]:
    """Files of the checkout below a folder, as names in a wheel; no caches."""
    found = (p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(package.parent).as_posix() for p in found}


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {name for name in names if name.startswith("afterscene/")}
    assert inside >= NEEDED
    assert inside == files_under(ROOT / "src" / "afterscene")
    assert {name.split("/")[0] for name in names - inside} == {
        f"afterscene-{afterscene.__version__}.dist-info"
    }


def test_the_metadata_says_what_it_is(path):
    (folder,) = path[0].glob("*.dist-info")
    said = PathDistribution(folder).metadata
    assert said["Version"] == afterscene.__version__
    assert said["License-Expression"] == "Apache-2.0 AND CC-BY-NC-SA-4.0"
    assert "Typing :: Typed" in said.get_all("Classifier")


IMAGE = "xbd/images/toy-town_00000000_pre_disaster.png"
LACKING = {
    "build --ray": ("scale", "gbd build --plan plan.jsonl --ray auto --out out"),
    "plan --stac": (
        "geo",
        "gbd plan --stac catalog.json --footprints roofs.parquet --hazard flood --count 1 --out p",
    ),
    "plan --built-up": (
        "encoders",
        "gbd plan --xbd xbd --built-up 0.5 --hazard flood --count 1 --out p",
    ),
    "studio": ("studio", "studio --no-browser --folder s"),
    "regions": ("geo", "regions --hazard flood --count 3 --out regions"),
}


@pytest.mark.parametrize("name", LACKING)
def test_a_command_without_its_extra_names_the_extra(path, places, name):
    extra, command = LACKING[name]
    done = isolated.run(*command.split(), path=path, cwd=places)
    assert done.returncode == 2
    assert f"afterscene[{extra}]" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_source_archive_can_be_built_again(tmp_path):
    archive = build("sdist", tmp_path)
    with tarfile.open(archive) as opened:
        names = {name.split("/", 1)[1] for name in opened.getnames()}
    wanted = {"pyproject.toml", "LICENSE", "README.md", "CHANGES.md", "CITATION.cff", "Makefile"}
    assert wanted <= names
    assert {f"src/{name}" for name in NEEDED} <= names


@pytest.mark.slow
@pytest.mark.parametrize("extras", ["", "[geo]"])
def test_a_fresh_environment_installs_the_wheel_and_draws(wheel, places, tmp_path, extras):
    """By pip and the package index; skipped where none can be reached."""
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [str(python), "-m", "pip"]
    probe = subprocess.run([*pip, "download", "--no-deps", "-d", tmp_path, "typer"])
    if probe.returncode:
        pytest.skip("no package index can be reached")
    pins = ("-c", ROOT / "constraints.txt")
    subprocess.run([*pip, "install", "--quiet", *pins, f"{wheel}{extras}"], check=True)
    command = python.with_name("afterscene")
    label = IMAGE.replace("images", "labels").replace(".png", ".json")
    words = ("synthesize", IMAGE, "--labels", label, "--hazard", "flood", "--steps", "1")
    out = tmp_path / "out"
    subprocess.run([command, *words, "--out", out], cwd=places, check=True)
    gbd = ("gbd", "build", "--xbd", "xbd", "--hazard", "flood", "--count", "1", "--steps", "1")
    subprocess.run([command, *gbd, "--out", out / "gbd"], cwd=places, check=True)
    export = [command, "gbd", "export", out / "gbd", "--format", "stac", "--out", out / "stac"]
    done = subprocess.run(export, cwd=places, capture_output=True, text=True)
    assert (done.returncode, "afterscene[geo]" in done.stderr) == (
        (0, False) if extras else (2, True)
    )


def test_the_install_page_lists_each_extra():
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(said["optional-dependencies"])
    page = (ROOT / "docs" / "howto" / "install.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.M)) == extras


def test_the_container_gets_what_the_dockerfile_copies():
    """`.dockerignore` lets in exactly the sources of COPY."""
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert let_in == {name for names in copied for name in names.split()}
    assert all((ROOT / name).exists() for name in let_in)


def newest_release() -> tuple[str, str]:
    """(version, date) of the first release in CHANGES.md."""
    found = re.search(
        r"^## \[(\S+)\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGES.md").read_text(), re.M
    )
    assert found
    return found.group(1), found.group(2)


def test_version_and_date_are_the_same_everywhere():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert newest_release() == (cited["version"], cited["date-released"])
    assert afterscene.__version__ == cited["version"]


def test_each_release_is_dated_and_they_are_in_order():
    heads = re.findall(r"^## (.*)$", (ROOT / "CHANGES.md").read_text(), re.M)
    found = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", head) for head in heads]
    assert all(found), heads
    versions = [tuple(map(int, m.group(1).split("."))) for m in found]
    assert versions == sorted(versions, reverse=True)
    dates = [m.group(2) for m in found]
    assert dates == sorted(dates, reverse=True)
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", (ROOT / "CHANGES.md").read_text(), re.M)) <= kinds


FORMS = sorted(p for p in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if p.stem != "config")


@pytest.mark.parametrize("form", FORMS, ids=lambda p: p.stem)
def test_an_issue_form_is_one(form):
    """The keys that an issue form has to have, and identifiers that stand once."""
    read = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= set(read)
    kinds = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
    assert {part["type"] for part in read["body"]} <= kinds
    asked = [part for part in read["body"] if part["type"] != "markdown"]
    assert asked and all(part["attributes"]["label"] for part in asked)
    assert len({part["id"] for part in asked}) == len(asked)
    json.dumps(read)
