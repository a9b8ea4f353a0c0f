"""What holds for the repository as a whole: docs, flags, forbidden calls, sizes, plain text."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from afterscene.cli import app
from commandlist import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "afterscene"
TEXT = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".sh", ".cfg", ""}
LONGEST, LONGEST_TEST = 320, 600


def tracked() -> list[Path]:
    """Text files that git knows; where git is absent, what lies in the known folders."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [p for d in ("src", "tests") for p in (ROOT / d).rglob("*")]
    return [p for p in paths if p.is_file() and p.suffix in TEXT and p.name != "LICENSE"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name):
    command = COMMANDS[name]
    assert command.help and command.help[0].isupper()
    for parameter in command.params:
        assert parameter.name == "help" or parameter.help, parameter.name


def test_importing_the_command_line_imports_no_torch():
    code = "import sys, afterscene.cli; print('torch' in sys.modules, 'rasterio' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


def test_python_m_afterscene_is_the_command():
    out = subprocess.run(
        [sys.executable, "-m", "afterscene", "--version"], capture_output=True, text=True
    )
    assert (out.returncode, out.stdout.split()[0]) == (0, "afterscene")


FORBIDDEN = (
    r"\bpickle\b",
    r"(?<![\w.])eval\(",
    r"(?<![\w.])exec\(",
    r"yaml\.load\(",
    r"trust_remote_code\s*=\s*True",
    r"torch\.load\(",
    r"allow_pickle\s*=\s*True",
    r"os\.system\(",
    r"shell\s*=\s*True",
)
#: The one place that may unpickle: ImageNet weights out of an installed package, weights_only.
CONFINED = {"torch.load(": "pretrained.py"}


def _code(path: Path) -> str:
    """The source without comments and docstrings (a docstring may say "never a pickle")."""
    text = re.sub(r'"""[\s\S]*?"""', "", path.read_text(encoding="utf-8"))
    return re.sub(r"#.*", "", text)


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nothing_unpickles_or_evaluates(pattern):
    for path in SOURCE.rglob("*.py"):
        for match in re.finditer(pattern, _code(path)):
            where = path.relative_to(SOURCE).as_posix()
            assert CONFINED.get(match.group()) == where, f"{where}: {match.group()}"


def test_a_confined_torch_load_takes_weights_only():
    for where in CONFINED.values():
        for call in re.finditer(r"torch\.load\(([^)]*)\)", _code(SOURCE / where)):
            assert "weights_only=True" in call.group(1), where


def test_torchvision_is_never_imported():
    for path in SOURCE.rglob("*.py"):
        assert not re.search(r"^\s*(import|from) torchvision", path.read_text(), re.M), path


def test_no_absolute_path_registry_or_machine_stands_in_a_tracked_file():
    home = r"/(?:home|root|Users|work|opt)/"
    registry = r"(?:files\.pythonhosted|pypi|test\.pypi)\.org|index-url|registry\.npmjs"
    for path in tracked():
        if path == Path(__file__).resolve():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found = re.search(rf"(?<![\w.\-/]){home}\w+|{registry}", text)
        assert not found, f"{path.relative_to(ROOT)}: {found.group()}"


def test_files_stay_short():
    """Tables of cases may make a test longer than a module."""
    limits = {SOURCE: LONGEST, ROOT / "tests": LONGEST_TEST}
    for path, limit in ((p, n) for folder, n in limits.items() for p in folder.rglob("*.py")):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= limit, f"{path.relative_to(ROOT)} has {lines} lines; split it"


def test_every_module_says_what_it_is():
    """A lesson says it in its first cell of text (tests/school)."""
    lessons = [SOURCE / "school" / name for name in ("lessons", "tutorials")]
    for path in (p for p in SOURCE.rglob("*.py") if p.parent not in lessons):
        assert path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""')), path


def test_the_pins_name_versions_and_nothing_of_this_machine():
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert "torch==2.13.0" in lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9_.\-]+==[0-9][A-Za-z0-9.]*", line), line


def test_every_flag_is_a_decision_that_someone_made():
    """A new flag is added here on purpose, or not at all."""
    every = [typer.main.get_command(app), *COMMANDS.values()]
    flags = {o for c in every for p in c.params for o in p.opts if o.startswith("--")} - {"--help"}
    assert flags == {
        "--apart-from",
        "--assessor",
        "--before",
        "--backbone",
        "--built-up",
        "--budget",
        "--choose",
        "--count",
        "--critic",
        "--seams",
        "--data",
        "--detector",
        "--events",
        "--explain",
        "--flips",
        "--folder",
        "--footprints",
        "--format",
        "--frames",
        "--frames-as-pairs",
        "--gbd",
        "--hazard",
        "--images",
        "--init",
        "--install-completion",
        "--json",
        "--labels",
        "--layer",
        "--length",
        "--limit",
        "--min-fidelity",
        "--minutes",
        "--mix",
        "--mode",
        "--model",
        "--no-browser",
        "--on-error",
        "--out",
        "--overwrite",
        "--pages",
        "--places",
        "--plan",
        "--port",
        "--post",
        "--pre",
        "--quiet",
        "--ray",
        "--resume",
        "--role",
        "--say",
        "--seed",
        "--set",
        "--severity",
        "--shard-size",
        "--show-completion",
        "--sketch",
        "--small",
        "--split",
        "--stac",
        "--steps",
        "--test",
        "--val",
        "--version",
        "--without",
        "--workers",
        "--xbd",
    }
