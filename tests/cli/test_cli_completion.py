"""Bash completes commands, options and names, by the script that `--show-completion` prints."""

import os
import shutil
import subprocess
import sys

import pytest

from afterscene.gbd.export import EXPORTERS
from afterscene.hazards import HAZARDS

START = 'import sys; sys.argv[0] = "afterscene"; from afterscene.cli import main; main()'
PRESS_TAB = """
source "$1"
COMP_WORDS=("${@:3}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_afterscene_completion "$2"
printf '%s\\n' "${COMPREPLY[@]}"
"""
BASH = shutil.which("bash")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A command `afterscene` on a path of its own, and bash's completion of it."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "afterscene"
    command.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{START}' \"$@\"\n")
    command.chmod(0o755)
    shown = subprocess.run(
        [command, "--show-completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},  # no shell around
    )
    script = folder / "completion.sh"
    script.write_text(shown.stdout)
    return folder, script


def tab(installed, *words):
    """What bash offers after these words, the last of which is not finished."""
    folder, script = installed
    done = subprocess.run(
        [BASH, "-c", PRESS_TAB, "bash", script, "afterscene", "afterscene", *words],
        env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("gbd", "bui"), ["build"]),
        (("gbd", "build", "--mode", ""), ["edit", "reacquire"]),
        (("synthesize", "--hazard", ""), list(HAZARDS)),
        (("gbd", "export", "--format", "geo"), [n for n in EXPORTERS if n.startswith("geo")]),
        (("synthesize", "--model", "def"), ["default"]),
    ],
)
def test_bash_offers(installed, words, offered):
    assert tab(installed, *words) == offered
