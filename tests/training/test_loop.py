"""The step loop by itself, on a line to be fitted: pieces, bad steps, budgets, curves."""

import itertools
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from afterscene.errors import BadParameter
from afterscene.training.board import BOARD, PICTURES
from afterscene.training.config import LoopConfig
from afterscene.training.loop import Trainer
from afterscene.training.processes import Group
from afterscene.training.runlog import records
from afterscene.training.schedules import SHAPES, learning_rate
from afterscene.training.task import Task, tiled

CONFIG = LoopConfig(steps=12, lr=0.05, save_every=5, validate_every=4, tensorboard=False)


class Line(Task):
    """y = 3x through a norm; the loss is a ratio of sums, as Dice is."""

    terms = 2

    def __init__(self, *, linear: bool = False, bad: tuple[int, ...] = ()) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.BatchNorm1d(1), nn.Linear(1, 1))
        self.linear, self.bad, self.seen = linear, bad, []

    def optimizer(self):
        return torch.optim.AdamW(self.model.parameters(), lr=CONFIG.lr, weight_decay=0.0)

    def ema_decay(self, step):
        return 0.5

    def count(self, step):
        return 8

    def draw(self, step, piece):
        self.seen.append((step, piece))
        x = torch.randn(8, 1, generator=torch.Generator().manual_seed(step))[piece]
        return x * torch.nan if step in self.bad else x

    def sums(self, drawn):
        error = (self.model(drawn) - 3 * drawn).square()
        rows = torch.cat([error, torch.ones_like(error)], dim=1)
        return rows.sum(0) if self.linear else rows

    def figures(self, sums, size):
        loss = sums[0] / 8 if self.linear else sums[0] / (sums[0].detach() * 0 + sums[1])
        return {"loss": loss, "twice": 2 * loss}

    def validate(self):
        sums = self.sums(self.draw(99, slice(None))).reshape(-1, 2).sum(0)
        return float(self.figures(sums, torch.zeros(0))["loss"])

    def pictures(self):
        return tiled([[np.full((8, 8, 3), 200, np.uint8)] * 2])


def test_it_learns_and_logs_what_the_task_tells(tmp_path):
    told = list(Trainer(Line(), replace(CONFIG, steps=60), tmp_path).run())
    assert told[-1]["loss"] < 0.2 * told[0]["loss"]
    assert all(record["twice"] == 2 * record["loss"] for record in told)
    logged = records(tmp_path)
    assert [r["step"] for r in logged] == list(range(1, 61))
    assert logged[-1]["validation"] < 0.5 * logged[3]["validation"]


def test_pictures_go_to_the_run_and_say_that_they_are_synthetic(tmp_path):
    from PIL import Image

    list(Trainer(Line(), CONFIG, tmp_path).run())
    files = sorted((tmp_path / PICTURES).iterdir())
    assert [f.name for f in files] == ["00000004.png", "00000008.png", "00000012.png"]
    picture = Image.open(files[0])
    assert picture.info["AFTERSCENE_SYNTHETIC"] == "true"
    assert np.asarray(picture).shape == (10, 20, 3)


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(list(Trainer(Line(), CONFIG).run())) == CONFIG.steps
    assert not list(tmp_path.iterdir())


def test_tensorboard_has_the_curve_and_a_resume_hides_what_was_redone(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = replace(CONFIG, tensorboard=True, steps=9)
    for record in Trainer(Line(), config, tmp_path).run():
        if record["step"] == 7:  # saved at 5
            break
    again = Trainer(Line(), config, tmp_path)
    again.resume()
    told = list(again.run())
    curve = EventAccumulator(str(tmp_path / BOARD)).Reload()
    assert [event.step for event in curve.Scalars("loss")] == list(range(1, 10))
    assert curve.Scalars("loss")[-1].value == pytest.approx(told[-1]["loss"])
    assert curve.Images("validation")


def test_without_tensorboard_a_run_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    list(Trainer(Line(), replace(CONFIG, tensorboard=True), tmp_path).run())
    assert not (tmp_path / BOARD).exists() and len(records(tmp_path)) == 12


def test_a_bad_batch_leaves_no_trace_in_weights_average_or_statistics():
    trainer = Trainer(Line(bad=(3,)), CONFIG)
    kept = []
    for _ in trainer.run():
        everything = {
            **trainer.model.state_dict(),
            **{f"+{k}": v for k, v in trainer.average.items()},
        }
        kept.append({k: v.clone() for k, v in everything.items()})
    same = [all(torch.equal(a[k], b[k]) for k in a) for a, b in itertools.pairwise(kept)]
    assert same == [step == 3 for step in range(1, CONFIG.steps)]
    assert trainer.skipped == 1 and all(v.isfinite().all() for v in trainer.average.values())


def test_a_loss_of_all_crops_is_not_cut_into_pieces():
    for group, accumulate in ((Group(), 2), (Group(size=9), 1)):
        with pytest.raises(BadParameter, match="8 crops cannot be shared"):
            Trainer(Line(), replace(CONFIG, accumulate=accumulate), group=group)
    task = Line(linear=True)
    next(iter(Trainer(task, replace(CONFIG, accumulate=3)).run()))
    assert [piece for _, piece in task.seen] == [slice(0, 2), slice(2, 5), slice(5, 8)]


def test_a_time_budget_ends_the_run_and_its_learning_rate(monkeypatch):
    clock = iter(np.arange(0, 1000, 0.5))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    trainer = Trainer(Line(), replace(CONFIG, steps=1000, seconds=5.0))
    told = list(trainer.run())
    assert trainer.done and len(told) == 10 and trainer.seconds == 5.0
    rates = [record["lr"] / CONFIG.lr for record in told]
    assert rates[0] == 1 and rates[-1] < 0.05 and sorted(rates, reverse=True) == rates


@pytest.mark.parametrize("shape", SHAPES)
def test_a_rate_rises_then_follows_its_shape_down_to_the_floor(shape):
    rates = [learning_rate(shape, step, step / 99, warmup=10, floor=0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1, abs=0.01) and max(rates) <= 1
    assert np.diff(rates[:8]).min() > 0 and np.diff(rates[10:]).max() <= 0
    ends = {"constant": 1.0, "inverse-sqrt": 0.1 + 0.9 * 0.1**0.5}
    assert rates[-1] == pytest.approx(ends.get(shape, 0.1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": "step"},
        {"floor": 2.0},
        {"steps": 0},
        {"lr": 0.0},
        {"seconds": 0.0},
        {"snapshot_every": -1},
    ],
)
def test_bad_settings_are_refused_with_their_name(wrong):
    with pytest.raises(BadParameter, match=next(iter(wrong))):
        replace(CONFIG, **wrong)
