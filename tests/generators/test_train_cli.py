"""``afterscene train`` from outside: killed, stopped, shared between processes, asked wrongly."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from afterscene.generators.checkpoint import load_weights
from afterscene.training.runlog import records
from afterscene.training.states import load_newest_state, states
from afterscene.weightfiles import read_tensors
from tests.generators.launch import TOY, Command, arguments, toy_pairs

STEPS = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return toy_pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """An uninterrupted run of one process: its result, its losses, seconds a step, its norms."""
    folder = tmp_path_factory.mktemp("whole")
    result = Command(arguments(data, folder / "run", STEPS), folder / "logs").result()
    log = records(folder / "run")
    pace = float(np.median([record["seconds"] for record in log]))
    return result, losses(folder / "run"), pace, [record["norm"] for record in log]


def losses(run):
    return [record["loss"] for record in records(run)]


def assert_same_steps(run, whole):
    """Losses within 1e-5; the norms would tell a gradient of the wrong size, which Adam hides."""
    np.testing.assert_allclose(losses(run), whole[1], rtol=0, atol=1e-5)
    norms = [record["norm"] for record in records(run)]
    np.testing.assert_allclose(norms, whole[3], rtol=1e-4)


def wait_for_steps(command, run, count):
    until = time.monotonic() + 60
    while len(records(run)) < count:
        assert command.alive() and time.monotonic() < until, command.stderr
        time.sleep(0.005)


def kill_and_resume(data, whole, folder, seed, kills, steps=STEPS):
    """SIGKILL some steps on, at any point of a step or a save; resume each time; let it end."""
    result, expected, pace, _ = whole
    rng, run = np.random.default_rng(seed), folder / "run"
    for kill in range(kills):
        words = arguments(data, run, steps, *(["--resume"] if states(run) else []))
        command = Command(words, folder / "logs")
        wait_for_steps(command, run, kill * (steps - 4) // kills + int(rng.integers(1, 4)))
        time.sleep(float(rng.uniform(0, 2 * pace)))
        assert command.alive(), "it ended before it was killed"
        command.send(signal.SIGKILL)
        assert command.codes() == [-signal.SIGKILL]
        if states(run):
            load_newest_state(run)  # at every moment one can be loaded
    words = arguments(data, run, steps, *(["--resume"] if states(run) else []))
    again = Command(words, folder / "logs").result()
    assert again["weights"] == result["weights"]
    assert losses(run) == expected
    assert not list(run.glob("*.tmp")) and not list(run.glob(".*.tmp"))


@pytest.mark.parametrize("seed", [0, 1])
def test_killed_and_resumed_ends_with_the_same_bits(data, whole, tmp_path, seed):
    kill_and_resume(data, whole, tmp_path, seed, kills=3)


@pytest.mark.slow
def test_twenty_kills_end_with_the_same_bits(data, whole, tmp_path):
    for seed in range(2, 7):
        kill_and_resume(data, whole, tmp_path / str(seed), seed, kills=4)


def test_two_processes_take_the_same_steps(data, whole, tmp_path):
    result = Command(arguments(data, tmp_path / "run", STEPS), tmp_path / "logs", 2).result()
    assert result["processes"] == 2
    assert_same_steps(tmp_path / "run", whole)


def test_four_processes_take_the_same_steps(data, whole, tmp_path):
    """More processes than the last batch has crops: one of them adds nothing there."""
    Command(arguments(data, tmp_path / "run", STEPS), tmp_path / "logs", 4).result()
    assert_same_steps(tmp_path / "run", whole)


def test_accumulated_and_recomputed_steps_are_the_same(data, whole, tmp_path):
    more = ("--set", "accumulate=3", "--set", "checkpointing=true")
    Command(arguments(data, tmp_path / "run", STEPS, *more), tmp_path / "logs").result()
    assert_same_steps(tmp_path / "run", whole)


def test_stopped_on_two_processes_goes_on_with_one(data, whole, tmp_path):
    run, logs = tmp_path / "run", tmp_path / "logs"
    pair = Command(arguments(data, run, STEPS), logs, 2)
    wait_for_steps(pair, run, 4)
    os.kill(pair.processes[1].pid, signal.SIGTERM)  # one is told, both end at the same step
    assert pair.codes() == [143, 143], pair.stderr
    stopped = json.loads(pair.stdout)
    assert stopped["stopped"] == 143 and 4 <= stopped["step"] < STEPS
    assert states(run)[-1].stem == f"state-{stopped['step']:08d}"
    Command(arguments(data, run, STEPS, "--resume"), logs).result()
    assert [record["step"] for record in records(run)] == list(range(1, STEPS + 1))
    assert_same_steps(run, whole)


@pytest.mark.parametrize(("kind", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_lets_the_step_end_and_saves(data, whole, tmp_path, kind, code):
    run, logs = tmp_path / "run", tmp_path / "logs"
    command = Command(arguments(data, run, STEPS), logs)
    wait_for_steps(command, run, 2)
    command.send(kind)
    assert command.codes() == [code], command.stderr
    step = json.loads(command.stdout)["step"]
    assert step < STEPS and load_newest_state(run)[0] == step
    assert not (run / "model").exists()
    assert (
        Command(arguments(data, run, STEPS, "--resume"), logs).result()["weights"]
        == (whole[0]["weights"])
    )


@pytest.mark.slow
def test_torchrun_starts_the_command(data, whole, tmp_path):
    starter = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    own = ["--master-port", "0", "--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
    words = arguments(data, tmp_path / "run", 6)
    subprocess.run(
        [*starter, *own, "-m", "afterscene", *words], check=True, capture_output=True, text=True
    )
    assert len(losses(tmp_path / "run")) == 6
    # The cosine ends elsewhere; the first losses come before the rates differ.
    np.testing.assert_allclose(losses(tmp_path / "run")[:2], whole[1][:2], rtol=0, atol=1e-5)


SRUN = """#!/bin/bash
export SLURM_NTASKS=2
SLURM_PROCID=1 SLURM_LOCALID=1 "$@" &
SLURM_PROCID=0 SLURM_LOCALID=0 "$@" && wait $!
"""


@pytest.mark.slow
def test_the_slurm_script_trains_and_goes_on(data, whole, tmp_path, repository):
    """With an srun that starts two tasks here, and the second job going on after the first."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "srun").write_text(SRUN)
    (tools / "afterscene").write_text(f'#!/bin/bash\nexec {sys.executable} -m afterscene "$@"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = tmp_path / "run"
    for steps in (STEPS, STEPS + 1):
        _, recipe, _, _, _, out, *options = arguments(data, run, steps)
        subprocess.run(
            ["bash", repository / "tools" / "train.slurm", recipe, data, out, *options],
            env={**os.environ, "PATH": path, "MASTER_PORT": str(port)},
            check=True,
            capture_output=True,
        )
        if steps == STEPS:
            assert_same_steps(run, whole)
    assert [record["step"] for record in records(run)] == list(range(1, STEPS + 2))


def test_a_damaged_newest_state_falls_back_with_a_warning(data, tmp_path):
    run, logs = tmp_path / "run", tmp_path / "logs"
    first = Command(arguments(data, run, 6), logs).result()
    newest = states(run)[-1]
    newest.write_bytes(newest.read_bytes()[:-10])
    words = [word for word in arguments(data, run, 6, "--resume") if word != "--quiet"]
    again = Command(words, logs)
    assert again.result()["weights"] == first["weights"]
    assert "damaged" in again.stderr and newest.name in again.stderr


def refused(words, folder):
    command = Command(words, folder / "logs")
    assert command.codes() == [2], command.stderr
    (line,) = command.stderr.splitlines()
    assert line.startswith("afterscene: ")
    return line


def test_init_starts_from_the_weights_of_a_model(data, whole, tmp_path):
    model = whole[0]["model"]
    again = Command(arguments(data, tmp_path / "a", 1, "--init", model), tmp_path).result()
    fresh = Command(arguments(data, tmp_path / "b", 1), tmp_path).result()
    taught, step = load_weights(Path(model))[0], 1e-2
    started, random = (load_weights(Path(r["model"]))[0] for r in (again, fresh))
    assert all((started[k] - taught[k]).abs().max() < step for k in taught)
    assert any((random[k] - taught[k]).abs().max() > step for k in taught)


def test_a_model_says_which_tiles_it_and_what_it_began_with_have_seen(data, whole, tmp_path):
    model = Path(whole[0]["model"])
    own = load_weights(model)[1]["tiles"]
    assert own and set(own) <= {path.stem.split("_pre_")[0] for path in (data / "images").iterdir()}
    for name, said in (("taught", ["elsewhere_00000007"]), ("silent", None)):
        folder = tmp_path / name
        shutil.copytree(model, folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "tiles": said}))
        words = arguments(data, tmp_path / f"run-{name}", 1, "--init", str(folder))
        made = Path(Command(words, tmp_path / "logs").result()["model"])
        expected = None if said is None else sorted([*said, *own])
        assert load_weights(made)[1]["tiles"] == expected


def test_what_cannot_be_resumed_or_started_is_refused(data, tmp_path):
    run = tmp_path / "run"
    assert "no complete training state" in refused(arguments(data, run, 3, "--resume"), tmp_path)
    Command(arguments(data, run, 3), tmp_path / "logs").result()
    assert "resume it or choose another folder" in refused(arguments(data, run, 3), tmp_path)
    told = refused(arguments(data, run, 3, "--resume", "--set", "seed=4"), tmp_path)
    assert "seed: 0 -> 4" in told
    longer = Command(arguments(data, run, 4, "--resume"), tmp_path / "logs").result()
    assert longer["step"] == 4 and (run / "model" / "config.json").is_file()


@pytest.mark.parametrize("size", [1, 2])
def test_a_run_that_diverges_stops_with_finite_states(data, tmp_path, size):
    words = arguments(data, tmp_path / "run", STEPS, "--set", "lr=1e37", "--set", "max_skipped=3")
    command = Command(words, tmp_path / "logs", size)
    assert command.codes() == [2] * size
    assert "not finite 3 times in a row since step" in command.stderr
    skipped = [record for record in records(tmp_path / "run") if not record["finite"]]
    assert len(skipped) == 2, "the third in a row ends the run"
    for state in states(tmp_path / "run"):
        assert all(bool(v.isfinite().all()) for v in read_tensors(state).values())


def test_the_config_is_saved_beside_the_output(data, tmp_path):
    Command(arguments(data, tmp_path / "run", 1), tmp_path / "logs").result()
    saved = json.loads((tmp_path / "run" / "train.json").read_text())
    assert saved["model"]["widths"] == [8, 16] and saved["precision"] == "fp32"
    assert saved["crops"]["shapes"] == [[32, 4], [48, 3]] and len(TOY) == 9
