"""Run the command in this process, with the toy renderer in place of the weights."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

import toys
from afterscene import generators
from afterscene.cli import app


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
