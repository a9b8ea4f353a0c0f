"""What synthetic pairs are worth: the same detector, seeds and steps, with and without them.

Arms differ in their training pairs alone. Each arm is trained once per seed with the same number
of optimiser steps and crops, scored by the official xView2 rules on the same real tiles, and
compared with the first arm by a paired bootstrap (:mod:`afterscene.metrics.bootstrap`). Two
references need no training: the first arm's localisation with every building called undamaged,
which is what a detector earns that sees no damage at all, and what the split itself allows (levels
that it lacks are named). Nothing starts before the leak guard has passed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.detectors import DetectorConfig
from afterscene.detectors.training import Progress
from afterscene.errors import BadParameter
from afterscene.files import prepare_output, write_json
from afterscene.geodata.leaks import check_leaks
from afterscene.geodata.pair import LabelledPair
from afterscene.lab.runs import Arm, Run, run_arm
from afterscene.metrics.bootstrap import Interval, Spread, resample
from afterscene.metrics.confusion import Confusion
from afterscene.metrics.xview2 import ScoreResult, all_undamaged, judged_score, shown

RESULTS = "results.json"
#: progress(arm, seed, step, steps) after each optimiser step.
GainProgress = Callable[[str, int, int, int], None]


@dataclass(frozen=True, kw_only=True)
class GainPlan:
    """What all arms share: the detector, the seeds, and how the interval is drawn.

    `show` are ids of evaluation tiles whose predictions are kept for pictures.
    """

    config: DetectorConfig
    seeds: tuple[int, ...] = (0, 1, 2)
    replicates: int = 1000
    show: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", tuple(self.seeds))
        object.__setattr__(self, "show", tuple(self.show))
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise BadParameter(
                f"seeds {list(self.seeds)}: give whole numbers >= 0, each once, best 3 or more"
            )


@dataclass(frozen=True, kw_only=True)
class ArmResult:
    """One arm: score with interval, gain over the first arm, mean of each figure over the seeds.

    `per_seed` are the official scores; `figures` has the official keys.
    """

    name: str
    score: Interval
    gain: Interval
    per_seed: tuple[float, ...]
    figures: Mapping[str, float]
    pairs_real: int
    pairs_synthetic: int


@dataclass(frozen=True, kw_only=True)
class GainResult:
    """All arms, the undamaged reference, and what one must know to read them.

    `runs` are in the order arm by arm, seed by seed; `all_undamaged` is the mean over the seeds
    of the first arm's localisation with every building called undamaged. `tiles_synthetic` of the
    `tiles` are generated: a gain on those says nothing about real scenes.
    """

    arms: tuple[ArmResult, ...]
    all_undamaged: Mapping[str, float]
    absent_levels: tuple[str, ...]
    tiles: int
    tiles_synthetic: int
    seeds: tuple[int, ...]
    redrawn: float
    runs: tuple[Run, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``results.json``; the runs' counts stay in their own folders."""
        return {
            "arms": [
                {**asdict(arm), "per_seed": list(arm.per_seed), "figures": dict(arm.figures)}
                for arm in self.arms
            ],
            "all_undamaged": dict(self.all_undamaged),
            "absent_levels": list(self.absent_levels),
            "tiles": self.tiles,
            "tiles_synthetic": self.tiles_synthetic,
            "seeds": list(self.seeds),
            "redrawn_per_draw": self.redrawn,
            "unclassified": "ignore",
        }


def gain(
    plan: GainPlan,
    arms: Sequence[Arm],
    evaluation: Sequence[LabelledPair],
    *,
    out: Path | str,
    validation: Sequence[LabelledPair] = (),
    progress: GainProgress | None = None,
) -> GainResult:
    """Run every arm with every seed (or read the finished ones) and compare.

    Writes ``out/runs/{arm}-seed{n}/`` and ``out/results.json``. `validation` calibrates each run
    the same way. Raises LeakFound, BadParameter, OutputConflict.
    """
    _check(arms, evaluation)
    for arm in arms:
        held_out = [pair.fingerprint for pair in (*evaluation, *validation)]
        check_leaks([pair.fingerprint for pair in arm.pairs], held_out)
    check_leaks(*([pair.fingerprint for pair in some] for some in (validation, evaluation)))
    out = Path(out)
    settings = {"arms": [arm.name for arm in arms], "config": plan.config.as_json()}
    prepare_output(out, "gain", run=settings)
    runs = []
    for arm in arms:
        for seed in plan.seeds:
            runs.append(
                run_arm(
                    arm,
                    plan.config,
                    evaluation,
                    validation,
                    seed=seed,
                    folder=out / "runs" / f"{arm.name}-seed{seed}",
                    show=plan.show,
                    progress=_told(progress, arm.name, seed),
                )
            )
    result = summarise(plan, arms, evaluation, runs)
    write_json(out / RESULTS, {**result.as_json(), "config": plan.config.as_json()})
    return result


def summarise(
    plan: GainPlan, arms: Sequence[Arm], evaluation: Sequence[LabelledPair], runs: Sequence[Run]
) -> GainResult:
    """Statistics of finished runs, arm by arm and seed by seed."""
    counts = np.stack([run.counts for run in runs])
    counts = counts.reshape(len(arms), len(plan.seeds), *counts.shape[1:])
    events = [pair.event for pair in evaluation]
    draws = resample(shown(counts[0, 0]), events, seeds=len(plan.seeds), replicates=plan.replicates)
    spreads = [draws.spread(judged_score, one) for one in counts]
    totals = counts.sum(axis=2)
    scored = [[Confusion(counts=total).result() for total in arm] for arm in totals]
    undamaged = [Confusion(counts=all_undamaged(total)).result() for total in totals[0]]
    return GainResult(
        arms=tuple(
            _arm_result(arm, spreads[number], spreads[0], scored[number])
            for number, arm in enumerate(arms)
        ),
        all_undamaged=_mean(undamaged),
        absent_levels=scored[0][0].absent_levels,
        tiles=len(evaluation),
        tiles_synthetic=sum(pair.synthetic for pair in evaluation),
        seeds=plan.seeds,
        redrawn=draws.redrawn,
        runs=tuple(runs),
    )


def _arm_result(
    arm: Arm, spread: Spread, first: Spread, scored: Sequence[ScoreResult]
) -> ArmResult:
    return ArmResult(
        name=arm.name,
        score=spread.intervals()[0],
        gain=(spread - first).intervals()[0],
        per_seed=tuple(result.score for result in scored),
        figures=_mean(scored),
        pairs_real=sum(not pair.synthetic for pair in arm.pairs),
        pairs_synthetic=sum(pair.synthetic for pair in arm.pairs),
    )


def _mean(results: Sequence[ScoreResult]) -> dict[str, float]:
    official = [result.official() for result in results]
    return {key: float(np.mean([one[key] for one in official])) for key in official[0]}


def _told(progress: GainProgress | None, arm: str, seed: int) -> Progress | None:
    if progress is None:
        return None
    return lambda step, steps, figures: progress(arm, seed, step, steps)


def _check(arms: Sequence[Arm], evaluation: Sequence[LabelledPair]) -> None:
    names = [arm.name for arm in arms]
    if len(arms) < 2 or len(set(names)) < len(names):
        raise BadParameter(f"arms {names}: give at least two, each with a name of its own")
    if not evaluation:
        raise BadParameter("no evaluation tile was given; check the split")
