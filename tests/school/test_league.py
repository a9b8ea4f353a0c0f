"""The league: same crops, same time, every method judged; the story is told as it is."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from afterscene.errors import BadParameter, MissingFile, OutputConflict
from afterscene.school.autoregression import quantize
from afterscene.school.league import CONTESTANTS, LeagueConfig, run_league, write_league
from afterscene.school.league import run as runner
from afterscene.school.league.chain2015 import chain_2015
from afterscene.school.league.contestant import Contestant
from afterscene.school.league.crops import colours, read_crops
from afterscene.school.league.diffusers import SCHEDULE, ddpm, score_sde
from afterscene.school.league.judge import nearest_training
from afterscene.school.league.report import league_table, plot, story

TINY = LeagueConfig(
    seconds=0.05,
    pictures=4,
    size=16,
    each=2,
    steps=5,
    budgets=(4, 8, 16),
    width=12,
    likelihood=2,
)


class Colours:
    """A feature space without weights: mean and spread of each colour."""

    name = "mean and spread"

    def maps(self, pictures):
        x = torch.from_numpy(pictures).float().permute(0, 3, 1, 2)
        both = [x.mean(dim=(2, 3)), x.std(dim=(2, 3))]
        return [torch.cat(both, dim=1)[:, :, None, None]]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two kinds of stripes, six pictures each, 60 x 60."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for kind, axis in (("lying", 0), ("standing", 1)):
        (folder / kind).mkdir()
        for number in range(6):
            wave = np.sin(np.indices((60, 60))[axis] * 0.5 + rng.uniform(0, 6))
            rgb = (
                128 + 80 * wave[..., None] * rng.uniform(0.3, 1, 3) + rng.normal(0, 5, (60, 60, 3))
            )
            Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).save(
                folder / kind / f"{number:02d}.png"
            )
    return folder


@pytest.fixture(scope="module")
def league(images, tmp_path_factory):
    out = tmp_path_factory.mktemp("league") / "out"
    result = run_league(images, out, Colours(), TINY)
    write_league(result, out)
    return result, out


def test_a_picture_is_learned_from_or_judged_by_never_both(images):
    train, test = read_crops(images, size=16, levels=32, each=3)
    assert train.names == ("lying", "standing")
    assert (len(train.x), len(test.x)) == (2 * 5 * 3, 2 * 1 * 3)
    assert test.label.tolist() == [0, 0, 0, 1, 1, 1]
    seen = {x.numpy().tobytes() for x in train.x}
    assert not seen & {x.numpy().tobytes() for x in test.x}
    back = torch.from_numpy(colours(test.x, 32)).permute(0, 3, 1, 2).float() / 127.5 - 1
    assert torch.equal(quantize(back, 32), test.x)
    with pytest.raises(MissingFile, match="one sub-folder for each kind"):
        read_crops(images / "lying", size=16, levels=32, each=1)


def test_every_method_is_judged_and_shown(league):
    result, out = league
    assert [score.name for score in result.scores] == list(CONTESTANTS)
    for score in result.scores:
        assert score.frechet > 0 and score.seconds > 0 and score.nearest > 0
        assert score.training_steps >= 1
        assert (score.bits is None) == (score.name in ("averaging", "gan", "best-guess"))
    calls = {score.name: score.evaluations for score in result.scores}
    assert calls["next-pixel"] == 256 == 16 * calls["spaced"] == 16 * calls["blocks"]
    assert calls["vae"] == calls["gan"] == calls["flow"] == 1
    assert calls["pixelcnn"] == 3 * 256 and calls["ddpm"] == calls["2015"] == 5
    assert calls["score-sde"] > 5
    assert [count for count, _ in result.steps] == [4, 8, 16]
    assert dict(result.steps)[16] == result.of("spaced").frechet
    rows = league_table(result).splitlines()
    assert len(rows) == 2 + len(CONTESTANTS) + 1
    assert rows[-1].split("|")[3].strip() == f"{result.floor:.1f}"  # what real crops have
    assert len({row.count("|") for row in rows}) == 1
    assert json.loads((out / "league.json").read_text())["floor"] == result.floor
    with Image.open(out / "league-film.png") as film:
        assert film.n_frames > 3
    with Image.open(out / "league.png") as drawings:
        assert drawings.height > (len(CONTESTANTS) + 1) * 64, "a row each, and the neighbours"
    assert plot(result) == (out / "steps.svg").read_text()
    spaced = plot(result).split('id="spaced"')[1].split("</g>")[0]
    assert spaced.count("<use ") == 3


def test_a_league_goes_on_and_makes_no_method_anew(league, images, monkeypatch):
    result, out = league
    (out / "best-guess.json").unlink()
    kept = {path.name: path.stat().st_mtime_ns for path in out.glob("*.json")}
    trained = []
    real = runner._trained
    monkeypatch.setattr(runner, "_trained", lambda c, j: trained.append(c.title) or real(c, j))
    again = run_league(images, out, Colours(), TINY)
    assert trained == ["next pixel"]  # whose weights the best guess draws with
    assert again.of("next-pixel") == result.of("next-pixel")
    assert all((out / name).stat().st_mtime_ns == kept[name] for name in kept)
    with pytest.raises(OutputConflict, match="config"):
        run_league(images, out, Colours(), replace(TINY, seed=1))


def test_the_story_is_told_as_measured(league):
    result, _ = league

    def with_distances(**distances):
        scores = tuple(replace(s, frechet=distances.get(s.name, 50.0)) for s in result.scores)
        return story(replace(result, scores=scores))

    good = with_distances(
        averaging=90, spaced=20, blocks=30, random=25, ddpm=1, **{"score-sde": 2, "u-vit": 3}
    )
    assert [line.split(":")[0] for line in good[:7]] == ["Holds", "Does not hold", *["Holds"] * 5]
    assert good[-1] == "Best of the twelve: DDPM, 1.0."
    bad = with_distances(averaging=1, spaced=70, blocks=30, random=25, flow=40)
    assert all(line.startswith("Does not hold") for line in bad[:7])
    assert "spaced pixels beat blocks (70.0 against 30.0)" in bad[2]


def exact(contestant: Contestant, std: float) -> Contestant:
    """The contestant with the best network for white noise pictures of deviation ``std``."""

    class Best(torch.nn.Module):
        def forward(self, x, clock, label=None):
            level = SCHEDULE.at(clock.double())
            alpha, sigma = (v.float()[:, None, None, None] for v in (level.alpha, level.sigma))
            return sigma * x / (alpha**2 * std**2 + sigma**2)

    contestant.model.network.network = Best()
    return contestant


def test_the_likelihood_of_white_noise_is_its_entropy():
    """Bits of a Gaussian cut into bins, by the ODE, with the exact network."""
    config = replace(TINY, levels=64)
    std = 0.25
    generator = torch.Generator().manual_seed(0)
    x = quantize(std * torch.randn(16, 3, 16, 16, generator=generator), 64)
    found = exact(ddpm(config, 2), std).bits(x, torch.zeros(16, dtype=torch.int64)).mean()
    entropy = 0.5 * np.log2(2 * np.pi * np.e * std**2) + np.log2(64 / 2)
    assert float(found) == pytest.approx(entropy, abs=0.03)


def test_the_bound_of_2015_lies_above_the_entropy_and_falls_with_training():
    config = replace(TINY, steps=12)
    torch.manual_seed(0)
    contestant = chain_2015(config, 2)
    x = torch.full((8, 3, 16, 16), 20)
    label = torch.zeros(8, dtype=torch.int64)
    with torch.no_grad():
        before = contestant.bits(x, label).mean()
    optimizer = torch.optim.Adam(contestant.model.parameters(), lr=3e-3)
    for step in range(60):
        loss = contestant.loss(x, label, np.random.default_rng(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        after = contestant.bits(x, label).mean()
    assert 0 <= after < before - 0.3


def test_evaluations_of_the_adaptive_ode_are_counted_not_declared():
    contestant = score_sde(TINY, 2)
    list(contestant.walk(torch.tensor([0, 1]), 1))
    first = contestant.evaluations()
    assert first > 7 and first == contestant.model.network.calls
    list(contestant.walk(torch.tensor([0, 1]), 2))
    assert contestant.evaluations() == contestant.model.network.calls - first


def test_a_copy_of_a_training_crop_is_noticed():
    training = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    far, which = nearest_training(training[[3, 7]] + 1e-4, training)
    assert which.tolist() == [3, 7] and far.max() < 1e-2
    with pytest.raises(BadParameter, match="multiple of 8"):
        LeagueConfig(size=20)
