"""What a training state survives: bad steps, damage, older formats; and who takes which crops."""

import pytest
import torch

from afterscene.errors import BadParameter, NotFinite, OutputConflict
from afterscene.generators import load
from afterscene.generators.crops import CropSampler
from afterscene.generators.examples import CropConfig
from afterscene.generators.tiles import load_tiles, unlabelled_pairs
from afterscene.generators.training import BridgeTask, TrainConfig, bridge_trainer
from afterscene.recipes import generator as recipes
from afterscene.training.loop import Trainer
from afterscene.training.runlog import append, open_folder, records
from afterscene.training.states import load_newest_state, save_state, states
from afterscene.weightfiles import read_tensors, weights_hash
from tests.generators import toy
from tests.generators.launch import toy_pairs


def config(steps: int = 8, **more) -> TrainConfig:
    plain = {"precision": "fp32", "warmup": 2, "save_every": 2, "validate_every": 1000}
    shapes = CropConfig(shapes=((32, 4),))
    return TrainConfig(model=toy.TINY, crops=shapes, steps=steps, **{**plain, **more})


class Poisoned(BridgeTask):
    """The loss of some steps is NaN."""

    poison: tuple[int, ...] = ()

    def draw(self, step, piece):
        drawn = super().draw(step, piece)
        if step in self.poison:
            drawn.eps.fill_(torch.nan)
        return drawn


def poisoned(out, steps, **more) -> Trainer:
    task = Poisoned(config(**more), [toy.tile()])
    task.poison = steps
    return Trainer(task, config(**more), out)


def test_bad_steps_are_skipped_and_counted_over_a_resume(tmp_path):
    trainer = poisoned(tmp_path, (0, 3), max_skipped=2)
    for record in trainer.run():
        if record["step"] == 4:
            break
    again = poisoned(tmp_path, (4,), max_skipped=2)
    again.resume()
    assert (again.step, again.skipped, again.bad) == (4, 2, 1)
    with pytest.raises(NotFinite, match="since step 3"):
        list(again.run())


def test_a_bad_step_changes_neither_weights_nor_average(tmp_path):
    trainer = poisoned(tmp_path, (2,))
    hashes = []
    for _ in trainer.run():
        state = trainer.model.state_dict()
        assert all(bool(v.isfinite().all()) for v in state.values())
        hashes.append((weights_hash(state), weights_hash(trainer.average)))
    assert hashes[2] == hashes[1] and len(set(hashes)) == len(hashes) - 1
    assert [r["finite"] for r in records(tmp_path)] == [n != 2 for n in range(8)]


def test_a_run_that_starts_with_a_bad_step_can_be_saved_and_resumed(tmp_path):
    first = poisoned(tmp_path, (0, 1))
    next(iter(first.run()))
    first.save()
    assert bridge_trainer(config(), [toy.tile()], tmp_path).resume() == []


def test_what_is_not_finite_is_not_saved(tmp_path):
    with pytest.raises(NotFinite, match="model/w"):
        save_state(tmp_path, 1, {"model/w": torch.tensor([1.0, torch.inf])})
    assert not list(tmp_path.iterdir())


def test_damaged_states_never_displace_whole_ones(tmp_path):
    for step in (5, 10, 15):
        save_state(tmp_path, step, {"model/w": torch.full((9,), float(step))}, keep=3)
    for path in states(tmp_path)[1:]:
        path.write_bytes(path.read_bytes()[:-1])
    assert load_newest_state(tmp_path)[0] == 5
    for step in (6, 7, 8):
        save_state(tmp_path, step, {"model/w": torch.full((9,), float(step))})
        assert load_newest_state(tmp_path)[0] == step
    assert [int(p.stem[-2:]) for p in states(tmp_path)] == [7, 8, 10, 15]


def test_a_kill_between_hash_and_state_leaves_the_one_before(tmp_path):
    save_state(tmp_path, 1, {"model/w": torch.ones(3)})
    (tmp_path / "state-00000002.sha256").write_text("0" * 64)
    assert load_newest_state(tmp_path)[0] == 1 and load_newest_state(tmp_path)[2] == []


def test_a_state_holds_all_that_the_next_step_needs(tmp_path):
    list(bridge_trainer(config(2), [toy.tile()], tmp_path).run())
    tensors = read_tensors(states(tmp_path)[-1])
    kinds = {name.split("/")[0] for name in tensors}
    assert kinds == {"model", "average", "step", "first", "second", "count"}
    again = bridge_trainer(config(2), [toy.tile()], tmp_path)
    assert again.resume() == [] and (again.step, again.skipped) == (2, 0)


def test_a_folder_with_states_is_not_started_anew(tmp_path):
    list(bridge_trainer(config(2), [toy.tile()], tmp_path).run())
    with pytest.raises(OutputConflict, match="resume it"):
        list(bridge_trainer(config(2), [toy.tile()], tmp_path).run())


def test_the_log_has_each_step_once(tmp_path):
    for step in (1, 2, 3):
        append(tmp_path, {"step": step})
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"step": 4, "lo')  # cut short
    (tmp_path / ".state.tmp").write_text("half")
    open_folder(tmp_path, {"steps": 9}, 2)
    assert [r["step"] for r in records(tmp_path)] == [1, 2]
    assert not list(tmp_path.glob(".*.tmp"))


def test_no_tiles_or_too_small_ones_are_refused(tmp_path):
    with pytest.raises(BadParameter, match="no pairs"):
        bridge_trainer(config(), [], tmp_path)
    large = TrainConfig(model=toy.TINY, crops=CropConfig(shapes=((192, 1),)))
    with pytest.raises(BadParameter, match=r"toy: \(160, 160\)"):
        bridge_trainer(large, [toy.tile()], tmp_path)


def test_a_piece_of_a_batch_is_cut_from_the_whole():
    sampler = CropSampler([toy.tile()], CropConfig(shapes=((32, 5),)), 3)
    whole, piece = sampler.batch(7), sampler.batch(7, slice(2, 4))
    assert torch.equal(piece.target, whole.target[2:4])
    assert torch.equal(piece.condition.levels, whole.condition.levels[2:4])


def test_an_exported_model_knows_the_styles_and_tones_of_its_pairs(tmp_path):
    made = load_tiles(unlabelled_pairs(toy_pairs(tmp_path / "xbd") / "images"))
    tiles = [tile for _, tile in made]
    list(bridge_trainer(config(2), tiles, tmp_path / "run").run())
    data = toy.data_of(tmp_path / "run", tiles)
    recipes.finish(tmp_path / "run", tmp_path / "model", config(2), data)
    made = load(tmp_path / "model")
    assert set(made.styles) == set(made.scenes) == {"wildfire"}
    assert made.scenes["wildfire"].shape == made.styles["wildfire"].shape
    assert (made.scenes["wildfire"][:, :3] > 0).all()
