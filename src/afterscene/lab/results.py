"""The results of a comparison as records: ``results.json``, from which page and tables are made.

The score is that of xView2 over the judged levels. Every figure has an interval from the bootstrap
of :mod:`afterscene.metrics.bootstrap`, with the same draws for all arms of a setting. An arm with
generated pairs is compared with the best arm without; as that one is chosen by its mean on the same
test tiles, the comparison favours it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.geodata.damage import LEVEL_WORDS, DamageLevel
from afterscene.lab.arms import ARMS
from afterscene.lab.protocols import Protocol
from afterscene.lab.runs import Scored
from afterscene.lab.settings import Setting
from afterscene.metrics.bootstrap import Figure, Interval, resample
from afterscene.metrics.xview2 import FIGURES, all_undamaged, figures, judged_score, shown

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class ArmResult:
    """One arm: judged score, official figures and, with generated pairs, the gain over the others.

    `per_seed`: judged scores; `counts` (seeds, 6, 2, 2, 5): pixels, summed over the tiles;
    `synthetic`: number of synthetic pairs in training.
    """

    name: str
    synthetic: int
    score: Interval
    figures: Mapping[str, Interval]
    gain: Interval | None
    per_seed: tuple[float, ...]
    counts: Sequence[Any]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ArmResult:
        """The record from the values of ``asdict``."""
        spans = {name: Interval(**values["figures"][name]) for name in FIGURES}
        gain = None if values["gain"] is None else Interval(**values["gain"])
        own = {"figures": spans, "gain": gain, "per_seed": tuple(values["per_seed"])}
        return cls(**{**values, **own, "score": Interval(**values["score"])})


@dataclass(frozen=True, kw_only=True)
class SettingResult:
    """All arms of a setting. `best`: the best arm without generated pairs, if there are both kinds.

    `undamaged`: mean score of the first arm's localisation with every building called undamaged.
    `absent`: levels without a pixel in the test tiles; `judged`: levels that the score counts.
    `redrawn`: bootstrap draws repeated for losing a level, per draw kept.
    """

    name: str
    event: str | None
    pairs_real: int
    pairs_own: int
    tiles: int
    seeds: tuple[int, ...]
    absent: tuple[str, ...]
    judged: tuple[str, ...]
    undamaged: float
    redrawn: float
    best: str | None
    arms: tuple[ArmResult, ...]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SettingResult:
        """The record from the values of ``asdict``."""
        lists = {name: tuple(values[name]) for name in ("seeds", "absent", "judged")}
        arms = tuple(ArmResult.from_json(arm) for arm in values["arms"])
        return cls(**{**values, **lists, "arms": arms})


@dataclass(frozen=True, kw_only=True)
class Results:
    """A comparison so far. `sources`: names of folders and models; `whole`: it is finished."""

    protocol: Protocol
    sources: Mapping[str, Any]
    settings: tuple[SettingResult, ...]
    whole: bool

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``results.json``."""
        return {"schema": SCHEMA, **asdict(self), "protocol": self.protocol.as_json()}

    @classmethod
    def read(cls, path: Path) -> Results:
        """The results in a file of :meth:`as_json`."""
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            protocol=Protocol.from_json(values["protocol"]),
            sources=values["sources"],
            settings=tuple(SettingResult.from_json(one) for one in values["settings"]),
            whole=values["whole"],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Finished:
    """A setting and its finished seeds: runs[arm] in the order of `seeds`, `events` of tiles."""

    setting: Setting
    seeds: tuple[int, ...]
    runs: Mapping[str, Sequence[Scored]]
    events: Sequence[str]


def measured(done: Finished, replicates: int) -> SettingResult:
    """The figures of one setting."""
    levels = done.setting.levels
    judge: Figure = partial(judged_score, levels=levels)
    counts = {arm: np.stack([run.counts for run in runs]) for arm, runs in done.runs.items()}
    first = next(iter(counts.values()))
    pixels = shown(first[0])
    draws = resample(
        pixels[:, [level - 1 for level in levels]],
        done.events,
        seeds=len(done.seeds),
        replicates=replicates,
    )
    scores = {arm: draws.spread(judge, own) for arm, own in counts.items()}
    plain = [arm for arm in scores if not ARMS[arm].generative]
    both = 0 < len(plain) < len(scores)
    best = max(plain, key=lambda arm: float(scores[arm].value)) if both else None
    gains = {arm: scores[arm] - scores[best] for arm in scores if best and arm not in plain}
    return SettingResult(
        name=done.setting.name,
        event=done.setting.event,
        pairs_real=len(done.setting.real),
        pairs_own=len(done.setting.own),
        tiles=len(done.setting.test),
        seeds=done.seeds,
        absent=tuple(
            word for word, n in zip(LEVEL_WORDS, pixels.sum(axis=0), strict=True) if not n
        ),
        judged=tuple(DamageLevel(level).word for level in levels),
        undamaged=float(judge(all_undamaged(first.sum(axis=1))).mean()),
        redrawn=draws.redrawn,
        best=best,
        arms=tuple(
            ArmResult(
                name=arm,
                synthetic=done.runs[arm][0].synthetic,
                score=scores[arm].intervals()[0],
                figures=dict(zip(FIGURES, draws.spread(figures, own).intervals(), strict=True)),
                gain=None if arm not in gains else gains[arm].intervals()[0],
                per_seed=tuple(judge(own.sum(axis=1)).tolist()),
                counts=own.sum(axis=1).tolist(),
            )
            for arm, own in counts.items()
        ),
    )
