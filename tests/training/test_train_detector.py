"""``afterscene train tiny``: a detector is killed, shared and resumed by the same loop."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from afterscene import detectors
from afterscene.detectors.task import DetectorRun
from afterscene.training.runlog import records
from afterscene.training.states import states
from tests.generators.launch import TOY_DETECTOR, Command, arguments, toy_pairs

STEPS = 9


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return toy_pairs(tmp_path_factory.mktemp("pairs"))


def words(data, out, *more, steps=STEPS):
    return arguments(data, out, steps, *more, recipe="tiny")


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    more = ("--set", "validate_every=5", "--set", "snapshot_every=3")
    return Command(words(data, folder / "run", *more), folder / "logs").result()


def wait_for_steps(command, run, count):
    until = time.monotonic() + 60
    while len(records(run)) < count:
        assert command.alive() and time.monotonic() < until, command.stderr
        time.sleep(0.005)


def told(run, key="loss"):
    return [record[key] for record in records(Path(run))]


def test_the_run_leaves_a_detector_curves_and_pictures(whole, data):
    run = Path(whole["out"])
    detector = detectors.load_detector(whole["model"])
    assert detector.provenance["steps"] == STEPS and "validation" in detector.provenance
    assert detector.config == DetectorRun.of(detector.config).detector
    assert [r["step"] for r in records(run) if "validation" in r] == [5, 9]
    picture = np.asarray(Image.open(run / "pictures" / "00000009.png"))
    assert picture.shape == (4 * 66, 4 * 66, 3) and picture.std() > 10
    assert json.loads((run / "train.json").read_text())["encoder"] == "tiny"


def test_killed_and_resumed_ends_with_the_same_bits(data, whole, tmp_path):
    run, logs = tmp_path / "run", tmp_path / "logs"
    for after in (2, 5):
        command = Command(words(data, run, *(["--resume"] if states(run) else [])), logs)
        wait_for_steps(command, run, after)
        command.send(signal.SIGKILL)
        assert command.codes() == [-signal.SIGKILL]
    resume = ["--resume"] if states(run) else []
    again = Command(words(data, run, *resume), logs).result()
    assert again["weights"] == whole["weights"] and told(run) == told(whole["out"])


@pytest.mark.parametrize("size", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_processes_take_the_same_steps_to_the_bit(data, whole, tmp_path, size):
    """Batch norms and Dice see all five crops, however they are shared out; then one goes on."""
    run, logs = tmp_path / "run", tmp_path / "logs"
    several = Command(words(data, run), logs, size)
    wait_for_steps(several, run, 5)
    os.kill(several.processes[-1].pid, signal.SIGTERM)  # one is told, all end at the same step
    assert several.codes() == [143] * size, several.stderr
    for key in ("loss", "localization", "damage", "norm"):
        told_so_far = told(run, key)
        assert len(told_so_far) >= 5
        assert told_so_far == told(whole["out"], key)[: len(told_so_far)]
    again = Command(words(data, run, "--resume"), logs).result()
    assert again["weights"] == whole["weights"] and told(run) == told(whole["out"])


def test_detect_fit_is_the_same_run_shared_by_processes_and_resumed(data, whole, tmp_path):
    run, logs = tmp_path / "run", tmp_path / "logs"
    settings = [word for pair in TOY_DETECTOR for word in ("--set", pair)]
    start = ["detect", "fit", "--detector", "tiny", "--xbd", data, "--split", "train"]
    start += [
        "--val",
        "val",
        "--out",
        run,
        "--set",
        f"steps={STEPS}",
        *settings,
        "--json",
        "--quiet",
    ]
    asked = [str(word) for word in start]
    several = Command(asked, logs, 2)
    wait_for_steps(several, run, 4)
    several.send(signal.SIGTERM)
    assert several.codes() == [143] * 2, several.stderr
    again = Command([*asked, "--resume"], logs).result()
    assert again["weights"] == whole["weights"] and told(run) == told(whole["out"])
    assert {path.name for path in Path(whole["out"]).glob("*.json")} == {
        path.name for path in run.glob("*.json")
    }
    assert detectors.load_detector(run).decision == detectors.load_detector(whole["model"]).decision


def test_an_average_of_another_length_is_a_detector_too(whole, tmp_path):
    out = tmp_path / "longer"
    words = ["models", "average", whole["out"], "--json", "--out"]
    made = Command([*words, str(out), "--length", "0.2"], tmp_path / "logs").result()
    assert made["step"] == STEPS and 0 <= made["missed"] < 1
    longer, own = detectors.load_detector(out), detectors.load_detector(whole["model"])
    assert longer.decision == own.decision and longer.provenance["average"]["length"] == 0.2
    a, b = (d.network.last[0].weight for d in (longer, own))
    assert 0 < float((a - b).detach().abs().max()) < 0.1
    refused = Command([*words, str(tmp_path / "x"), "--length", "3"], tmp_path / "logs")
    assert refused.codes() == [2] and "0.289" in refused.stderr
    assert not (tmp_path / "x").exists()


def test_init_and_precision_reach_a_detector(data, whole, tmp_path):
    more = ("--init", whole["model"], "--set", "precision=bf16", "--set", "lr=1e-8")
    result = Command(words(data, tmp_path / "run", *more, steps=1), tmp_path / "logs").result()
    taught, started = (detectors.load_detector(r["model"]) for r in (whole, result))
    assert started.config.precision == "bf16"
    a, b = (d.network.last[0].weight for d in (taught, started))
    np.testing.assert_allclose(a.detach(), b.detach(), atol=1e-4)


def test_more_processes_than_crops_are_refused(data, tmp_path):
    command = Command(words(data, tmp_path / "run", "--set", "batch=1"), tmp_path / "logs", 2)
    assert command.codes() == [2, 2] and "a crop for each" in command.stderr
