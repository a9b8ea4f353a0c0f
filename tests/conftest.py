"""Fixtures that all rooms share. Real pairs are read where they are; nothing of them is copied."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import toys
from afterscene import generators
from afterscene.cli import app

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: AFTERSCENE_DATA, else ``../shared/data`` beside the repository."""
    folder = Path(os.environ.get("AFTERSCENE_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "xbd" / "images").is_dir():
        pytest.skip(f"real xBD pairs are not there ({folder}/xbd); set AFTERSCENE_DATA")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@pytest.fixture
def afterscene(monkeypatch):
    """``afterscene("hazards", "list")`` -> Outcome; an escaping exception fails the test."""
    real = generators.load

    def load(name="default", kind="bridge"):
        return toys.ToyGenerator() if kind == "bridge" else real(name, kind)

    monkeypatch.setattr("afterscene.generators.load", load)
    monkeypatch.delenv("AFTERSCENE_NO_PROGRESS", raising=False)  # `make test` sets it

    def run(*arguments: object) -> Outcome:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def tree(tmp_path):
    """A toy xBD folder of three pre images."""
    return toys.toy_tree(tmp_path / "xbd")
