"""Training on real pairs at the recipes' own rates: killed, and shared out. Slow, needs xBD."""

import json
import os
import signal

import numpy as np
import pytest

from afterscene.training.runlog import records
from tests.generators.launch import Command, arguments
from tests.generators.test_train_cli import kill_and_resume, wait_for_steps

pytestmark = pytest.mark.slow
STEPS, KILLS = 44, 20
STEPS_SHARED = 24
#: Damaged ones of two events.
PAIRS = ("hurricane-michael", "santa-rosa-wildfire")


@pytest.fixture(scope="module")
def data(shared_data, tmp_path_factory):
    """Two real pairs to train on."""
    folder, real = tmp_path_factory.mktemp("few"), shared_data / "xbd"
    train = json.loads((real / "splits.json").read_text())["train"]
    names = [
        max((n for n in train if n.startswith(e)), key=lambda n: damaged(real, n)) for e in PAIRS
    ]
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
        for path in (real / kind).iterdir():
            if path.name.rsplit("_", 2)[0] in names:
                (folder / kind / path.name).symlink_to(path)
    (folder / "splits.json").write_text(json.dumps({"train": names}))
    return folder


def damaged(real, name):
    text = (real / "labels" / f"{name}_post_disaster.json").read_text(errors="replace")
    return sum(text.count(f'"{word}"') for word in ("minor-damage", "major-damage", "destroyed"))


def words(recipe, data, out, *more):
    """The recipe as it is, but for the size of its crops."""
    smaller = {
        "tiny": ("crop=64", "batch=8", "exact=true"),
        "generator-small": ("crops.shapes=[32,8]",),
    }[recipe]
    settings = [word for pair in (*smaller, "save_every=10") for word in ("--set", pair)]
    start = [
        "train",
        recipe,
        "--data",
        data,
        "--out",
        out,
        "--set",
        f"steps={STEPS_SHARED}",
        "--set",
        "precision=fp32",
    ]
    return [str(word) for word in (*start, *settings, "--json", "--quiet", *more)]


def test_twenty_kills_end_with_the_same_bits(data, tmp_path):
    folder = tmp_path / "whole"
    result = Command(arguments(data, folder, STEPS), tmp_path / "logs").result()
    log = records(folder)
    pace = float(np.median([record["seconds"] for record in log]))
    told = [record["loss"] for record in log], pace, None
    kill_and_resume(data, (result, *told), tmp_path, 0, KILLS, STEPS)


@pytest.mark.parametrize(("recipe", "within"), [("tiny", 0.0), ("generator-small", 1e-5)])
def test_one_two_and_four_processes_take_the_same_steps(data, tmp_path, recipe, within):
    told = {}
    for size in (1, 2, 4):
        command = Command(words(recipe, data, tmp_path / f"{size}"), tmp_path / "logs", size)
        if size == 2:  # stopped on two, it goes on with one
            wait_for_steps(command, tmp_path / "2", 10)
            os.kill(command.processes[1].pid, signal.SIGTERM)
            assert command.codes(600) == [143, 143], command.stderr
            more = words(recipe, data, tmp_path / "2", "--resume")
            command = Command(more, tmp_path / "logs")
        assert command.codes(600) == [0] * len(command.processes), command.stderr
        told[size] = np.array([record["loss"] for record in records(tmp_path / f"{size}")])
        assert len(told[size]) == STEPS_SHARED
    differences = {size: float(np.abs(told[size] - told[1]).max()) for size in (2, 4)}
    print(recipe, differences, told[1][[0, 9, -1]])
    assert max(differences.values()) <= within, differences
