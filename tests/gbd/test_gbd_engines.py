"""Whoever makes the shards, in whatever order, however often he is killed: the same tree."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import toys
from afterscene import gbd
from afterscene.errors import BadParameter, MissingExtra, NotFinite, OutputConflict, WorkerLost
from afterscene.gbd.rundir import read_rows

HASH = toys.ToyGenerator.hash


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The file of a plan of 9 pairs, wind and flood in turn, in shards of 2."""
    folder = tmp_path_factory.mktemp("engines")
    tree = toys.toy_tree(folder / "xbd")
    return make_plan(folder / "plan.jsonl", tree)


def make_plan(path, tree, **changes):
    asked = {"hazards": ("wind", "flood"), "count": 9, "seed": 7, "shard_size": 2} | changes
    toys.plan_file(path, tree, **asked)
    return path


@pytest.fixture(scope="module")
def whole(stored, tmp_path_factory):
    """What one process makes of it."""
    out = tmp_path_factory.mktemp("whole") / "out"
    build(stored, out)
    return toys.files_of(out)


def build(stored, out, generator=None, **options):
    return gbd.build(
        stored if isinstance(stored, gbd.Plan) else gbd.read_plan(stored),
        out,
        generator or toys.ToyGenerator(),
        rendering=gbd.Rendering(),
        options=gbd.RunOptions(**options),
    )


@dataclass(frozen=True)
class Dies:
    """Kills its own process the first ``times`` it is asked (counted in files)."""

    folder: Path
    times: int
    hash: str = HASH
    drawn_as = toys.ToyGenerator.drawn_as

    def render(self, pre, damage, *, seed, **kwargs):
        strikes = len(list(self.folder.iterdir()))
        if strikes < self.times:
            (self.folder / f"{strikes}").touch()
            assert multiprocessing.parent_process() is not None
            os.kill(os.getpid(), signal.SIGKILL)
        return toys.ToyGenerator().render(pre, damage, seed=seed)


@dataclass(frozen=True)
class Fails:
    """Fails for one hazard by ``error``."""

    error: type[Exception]
    hash: str = HASH
    drawn_as = toys.ToyGenerator.drawn_as

    def render(self, pre, damage, **kwargs):
        if damage.hazard == "flood":
            raise self.error("no luck")
        return toys.ToyGenerator().render(pre, damage, **kwargs)


def test_four_workers_make_the_tree_of_one(stored, whole, tmp_path):
    report = build(stored, tmp_path / "out", workers=4)
    assert (report.made, report.already) == (9, 0)
    assert toys.files_of(tmp_path / "out") == whole


def test_the_order_of_the_shards_changes_nothing(stored, whole, tmp_path):
    plan = gbd.read_plan(stored)

    def shuffled(leave_out):
        shards = list(plan.shards(leave_out))
        random.Random(3).shuffle(shards)
        assert [s.number for s in shards] != sorted(s.number for s in shards)
        return iter(shards)

    build(replace(plan, shards=shuffled), tmp_path / "out")
    assert toys.files_of(tmp_path / "out") == whole


def test_a_plan_file_makes_its_pairs_and_the_numbers_run_through(stored, whole):
    names = [item.name for item in gbd.read_plan(stored).items]
    assert [n[-8:] for n in names] == [f"{k:08d}" for k in range(9)]
    assert {n.split("_")[0] for n in names} == {"toy-town-wind", "toy-town-flood"}
    rows = [json.loads(line) for line in whole["manifest.jsonl"].splitlines()]
    assert [row["id"] for row in rows] == names


def test_one_tile_is_the_tile_of_the_full_build(stored, whole, tmp_path):
    name = [item.name for item in gbd.read_plan(stored).items][5]
    build(gbd.read_plan(stored, only=name), tmp_path / "one")
    made = toys.files_of(tmp_path / "one")
    shared = {path for path in made if path.startswith(("images", "labels", "targets"))}
    assert len(shared) == 6
    assert {path: made[path] for path in shared} == {path: whole[path] for path in shared}
    assert made["manifest.jsonl"] in whole["manifest.jsonl"]


def test_a_worker_that_is_killed_loses_nothing(stored, whole, tmp_path):
    (tmp_path / "strikes").mkdir()
    build(stored, tmp_path / "out", Dies(tmp_path / "strikes", 2), workers=2)
    assert len(list((tmp_path / "strikes").iterdir())) == 2
    assert toys.files_of(tmp_path / "out") == whole


def test_a_shard_that_kills_every_worker_is_given_up_by_name(stored, tmp_path):
    (tmp_path / "strikes").mkdir()
    deadly = Dies(tmp_path / "strikes", 10**6)
    with pytest.raises(WorkerLost, match="workers were killed at it"):
        build(stored, tmp_path / "out", deadly, workers=2)


@pytest.mark.parametrize(
    ("error", "workers"), [(NotFinite, 1), (MemoryError, 1), (RuntimeError, 2)]
)
def test_what_fails_is_skipped_by_name_and_made_next_time(stored, whole, tmp_path, error, workers):
    out = tmp_path / "out"
    report = build(stored, out, Fails(error), workers=workers, on_error="skip")
    assert (report.made, len(report.skipped)) == (5, 4)
    assert all("flood" in name and "no luck" in why for name, why in report.skipped)
    assert [row["id"] for row in read_rows(out / "skipped.jsonl")] == [n for n, _ in report.skipped]
    again = build(stored, out, workers=workers)
    assert (again.made, again.already, again.skipped) == (4, 5, ())
    assert toys.files_of(out) == whole


@pytest.mark.parametrize("workers", [1, 2])
def test_without_skip_the_error_of_a_worker_ends_the_build(stored, tmp_path, workers):
    with pytest.raises(NotFinite, match="no luck"):
        build(stored, tmp_path / "out", Fails(NotFinite), workers=workers)


def test_changed_settings_are_refused_with_the_keys_that_differ(stored, tmp_path):
    build(stored, tmp_path / "out")
    before = toys.files_of(tmp_path / "out")
    other = make_plan(tmp_path / "other.jsonl", stored.parent / "xbd", seed=8, shard_size=3)
    with pytest.raises(OutputConflict, match=r"seed: 7 -> 8, shard_size: 2 -> 3"):
        build(other, tmp_path / "out")
    assert toys.files_of(tmp_path / "out") == before


def test_a_source_that_changed_since_the_plan_is_named(tmp_path):
    tree = toys.toy_tree(tmp_path / "xbd")
    stored = make_plan(tmp_path / "plan.jsonl", tree, hazards=("wind",), count=3, shard_size=1)
    image = toys.write_pre(tree, "toy-town_00000001", seed=99)
    with pytest.raises(BadParameter, match=f"{image.name}.*changed since the plan"):
        build(stored, tmp_path / "out")


def test_a_plan_moves_with_its_sources(stored, whole, tmp_path):
    (tmp_path / "moved").symlink_to(stored.parent / "xbd")
    moved = gbd.read_plan(stored, tmp_path / "moved")
    build(moved, tmp_path / "out")
    assert toys.files_of(tmp_path / "out") == whole


def test_a_million_finished_tiles_are_known_by_listing(stored, tmp_path):
    """Lines of finished shards are never parsed: they may hold anything."""
    lines = stored.read_bytes().splitlines(keepends=True)
    broken = b"".join([lines[0], *(b"no JSON\n" for _ in lines[1:-1]), lines[-1]])
    (tmp_path / "plan.jsonl").write_bytes(broken)
    plan = gbd.read_plan(tmp_path / "plan.jsonl")
    assert [s.number for s in plan.shards(range(4))] == [4]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda text: text.replace("gbd plan 1", "gbd plan 9"), "is not a plan"),
        (lambda text: text[: len(text) // 2], "cannot be read|truncated"),
        (lambda text: text.replace('"pre": "images/', '"pre": "../images/'), "leaves the folder"),
        (lambda text: text.replace('"pre": "images/', '"pre": "/images/'), "leaves the folder"),
        (lambda text: text.replace('"name": "toy', '"name": "../toy'), "not a plain name"),
        (lambda text: text.replace('"seed": ', '"sad": '), "damaged"),
        (lambda text: text.replace('"severity": 0', '"severity": "x0'), "damaged|cannot be read"),
        (lambda text: text.splitlines()[0] + "\n" + "[" * 100_000, "cannot be read"),
        (lambda text: "", "cannot be read"),
    ],
)
def test_a_damaged_plan_is_refused_in_one_sentence(stored, tmp_path, harm, words):
    path = tmp_path / "plan.jsonl"
    path.write_text(harm(stored.read_text()))
    with pytest.raises(BadParameter, match=words) as error:
        list(gbd.read_plan(path).items)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 2, "ray": "local"}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(BadParameter, match="workers"):
        gbd.RunOptions(**options)


def test_without_ray_the_extra_is_named(stored, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"afterscene\[scale\]"):
        build(stored, tmp_path / "out", ray="local")


KILLED = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from test_gbd_engines import Slow, build
if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), Slow(), workers=2)
"""


class Slow(toys.ToyGenerator):
    def render(self, *args, **kwargs):
        time.sleep(0.15)
        return super().render(*args, **kwargs)


def builder(folder, plan, out):
    script = folder / "builder.py"
    here = Path(__file__).parent
    script.write_text(KILLED.format(path=[str(here), str(here.parent)]))
    return subprocess.Popen(
        [sys.executable, script, plan, out],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_again_and_again(folder, plan, kills, seed):
    """SIGKILL at random moments of the work, then one run to the end; returns the tree's files."""
    rng = random.Random(seed)
    for _ in range(kills):
        process = builder(folder, plan, folder / "out")
        enough = written(folder) + rng.randint(1, 8)
        while process.poll() is None and written(folder) < enough:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.2))
        assert process.poll() is None, "it ended before it was killed; plan more pairs"
        process.kill()
        process.wait()
    assert not (folder / "out" / "manifest.jsonl").exists()
    process = builder(folder, plan, folder / "out")
    assert process.wait(timeout=300) == 0, process.stderr.read()
    return toys.files_of(folder / "out")


def written(folder):
    return sum(1 for path in (folder / "out").rglob("*_disaster*") if path.is_file())


@pytest.mark.parametrize(
    ("kills", "count"), [(2, 9), pytest.param(20, 120, marks=pytest.mark.slow)]
)
def test_killed_at_random_moments_it_ends_as_the_same_tree(stored, tmp_path, kills, count):
    plan = make_plan(tmp_path / "plan.jsonl", stored.parent / "xbd", count=count)
    build(plan, tmp_path / "whole")
    made = kill_again_and_again(tmp_path, plan, kills, seed=kills)
    assert made == toys.files_of(tmp_path / "whole")
