"""Run the league: each method trains, draws, is judged and kept, one after the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from afterscene import __version__
from afterscene.files import prepare_output, write_atomic, write_json
from afterscene.lab.features import FeatureSpace
from afterscene.school.autoregression import FitConfig, RemovalModel, train_steps
from afterscene.school.league import chain2015, diffusers, latent, pixelwise
from afterscene.school.league.contestant import Contestant, LeagueConfig
from afterscene.school.league.crops import LeagueCrops, read_crops
from afterscene.school.league.judge import LeagueJudge, Sampled, Score, sample_pictures

Maker = Callable[[LeagueConfig, int], Contestant]

#: The methods, those that draw all at once first; each is followed by its controls.
CONTESTANTS: Mapping[str, Maker] = MappingProxyType(
    {
        "averaging": pixelwise.averaging,
        "vae": latent.vae,
        "gan": latent.gan,
        "flow": latent.flow,
        "next-pixel": pixelwise.next_pixel,
        "best-guess": pixelwise.best_guess,
        "pixelcnn": pixelwise.pixelcnn,
        "multi-scale": pixelwise.multi_scale,
        "spaced": pixelwise.spaced,
        "blocks": pixelwise.blocks,
        "random": pixelwise.random,
        "2015": chain2015.chain_2015,
        "ddpm": diffusers.ddpm,
        "score-sde": diffusers.score_sde,
        "u-vit": diffusers.u_vit,
    }
)
CONTROLS = ("best-guess", "blocks", "random")
PICTURES = 10
Progress = Callable[[str], None]
#: Weights and the number of training steps.
Trained = tuple[dict[str, Tensor], int]


@dataclass(frozen=True, kw_only=True)
class League:
    """All rows, the plot's points ``(evaluations, Fréchet)`` of spaced pixels, and their context.

    ``floor``: the Fréchet distance of real training crops. ``space``: name of the features.
    """

    config: LeagueConfig
    scores: tuple[Score, ...]
    steps: tuple[tuple[int, float], ...]
    floor: float
    space: str
    training: int
    held_out: int

    def of(self, name: str) -> Score:
        """The row of that method."""
        return next(score for score in self.scores if score.name == name)


def run_league(
    images: Path,
    out: Path,
    space: FeatureSpace,
    config: LeagueConfig | None = None,
    *,
    on_done: Progress = lambda _: None,
) -> League:
    """Run what has not run yet and keep it in ``out``; see the package.

    Raises:
        MissingFile, BadImage: the images cannot be used.
        OutputConflict: ``out`` holds something else or a league with other settings.
    """
    config = config or LeagueConfig()
    train, test = read_crops(
        images, size=config.size, levels=config.levels, each=config.each, seed=config.seed
    )
    settings = {"version": __version__, "config": asdict(config), "crops": _digest(train, test)}
    prepare_output(out, "league", run=settings)
    judge = LeagueJudge(train, test, config, space)
    trained: dict[str, Trained] = {}
    scores, steps = [], []
    for name, maker in CONTESTANTS.items():
        path = out / f"{name}.json"
        if not path.is_file():
            _play(name, maker, judge, trained, out)
        kept = json.loads(path.read_text("utf-8"))
        scores.append(Score(**kept["score"]))
        steps += [tuple(point) for point in kept["steps"]]
        on_done(name)
    return League(
        config=config,
        scores=tuple(scores),
        steps=tuple(steps),
        floor=judge.floor(),
        space=space.name,
        training=len(train.x),
        held_out=len(test.x),
    )


def _play(
    name: str, maker: Maker, judge: LeagueJudge, trained: dict[str, Trained], out: Path
) -> None:
    """Train, draw, judge, keep; a control with a sibling takes that one's weights."""
    torch.manual_seed(judge.config.seed)
    contestant = maker(judge.config, len(judge.train.names))
    if contestant.sibling:
        if contestant.sibling not in trained:  # it was kept by an earlier run, without weights
            trained[contestant.sibling] = _train(CONTESTANTS[contestant.sibling], judge)
        weights, count = trained[contestant.sibling]
        contestant.model.load_state_dict(weights)
    else:
        contestant, count = _trained(contestant, judge)
        trained[name] = contestant.model.state_dict(), count
    drawn = sample_pictures(contestant, judge.label, judge.config.seed)
    score = judge.score(name, contestant, drawn, count)
    steps = _against_steps(contestant, judge, score) if name == "spaced" else []
    _keep_pictures(out / f"{name}.npz", drawn, judge)
    write_json(out / f"{name}.json", {"score": asdict(score), "steps": steps})


def _trained(contestant: Contestant, judge: LeagueJudge) -> tuple[Contestant, int]:
    """Train for the seconds of the configuration; the number of steps that they sufficed for."""
    config = FitConfig(
        steps=10**6,
        seconds=judge.config.seconds,
        batch=contestant.batch,
        lr=contestant.lr,
        momentum=contestant.momentum,
        seed=judge.config.seed,
    )
    losses = train_steps(
        contestant.model, judge.train.x, config, label=judge.train.label, loss=contestant.loss
    )
    count = sum(1 for _ in losses)
    contestant.model.eval()
    return contestant, count


def _train(maker: Maker, judge: LeagueJudge) -> Trained:
    torch.manual_seed(judge.config.seed)
    contestant, count = _trained(maker(judge.config, len(judge.train.names)), judge)
    return contestant.model.state_dict(), count


def _against_steps(
    contestant: Contestant, judge: LeagueJudge, score: Score
) -> list[tuple[int, float]]:
    """Fréchet distance of spaced pixels for each number of evaluations, from the same weights."""
    model, config = contestant.model, judge.config
    assert isinstance(model, RemovalModel)
    size = (config.size, config.size)
    points = []
    for budget in config.budgets:
        if budget == int(score.evaluations):
            points.append((budget, score.frechet))
            continue
        strategy = pixelwise.spread_out(config, budget)

        def walk(label: Tensor, seed: int, strategy: Any = strategy) -> Iterator[Tensor]:
            for x, _ in model.walk(len(label), size, seed=seed, label=label, strategy=strategy):
                yield x

        drawn = sample_pictures(replace(contestant, walk=walk), judge.label, config.seed)
        points.append((budget, judge.frechet(drawn.x)))
    return points


def _keep_pictures(path: Path, drawn: Sampled, judge: LeagueJudge) -> None:
    """What the report shows: first pictures, their nearest training crops, their history."""
    first = drawn.x[:: max(1, len(drawn.x) // PICTURES)][:PICTURES]
    parts = [x.to(torch.uint8).numpy() for x in (first, judge.neighbours(first), drawn.frames)]

    def save(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, pictures=parts[0], neighbours=parts[1], frames=parts[2])

    write_atomic(path, save)


def _digest(*crops: LeagueCrops) -> str:
    digest = hashlib.sha256()
    for part in crops:
        digest.update(part.x.to(torch.uint8).numpy().tobytes())
        digest.update(" ".join(part.names).encode())
    return digest.hexdigest()[:16]
