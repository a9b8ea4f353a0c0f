"""One training and its scores in a folder with a final record, so that a stop costs one run.

The record is written last. It contains the pixel counts of every test tile, all that the statistics
need, and a fingerprint of the run (config, seed, pairs, tiles); a folder with another fingerprint
is refused. Config, card and log are kept, the weights are not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.detectors import Detector, DetectorConfig, fit
from afterscene.detectors.calibration import Mix
from afterscene.detectors.storage import WEIGHTS
from afterscene.errors import OutputConflict
from afterscene.files import write_json
from afterscene.geodata.pair import LabelledPair
from afterscene.metrics.confusion import Confusion
from afterscene.training.runlog import LOG, append
from afterscene.weightfiles import weights_hash

RECORD = "done.json"
DAMAGE = "predictions.npz"
#: Called with (step, steps) after each optimiser step.
OnStep = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Training:
    """All inputs of a training.

    start: a detector to continue from; None: from scratch.
    mix: the mix of levels to calibrate for; None: that of the validation pairs.
    """

    config: DetectorConfig
    seed: int
    pairs: Sequence[LabelledPair]
    validation: Sequence[LabelledPair] = ()
    start: Detector | None = None
    mix: Mix | None = None

    def fingerprint(self) -> dict[str, Any]:
        """Config, seed, and hashes of pairs and first weights."""
        return {
            "config": self.config.as_json(),
            "seed": self.seed,
            "pairs": pair_digest(self.pairs),
            "validation": pair_digest(self.validation),
            "mix": None if self.mix is None else list(self.mix),
            "start": None if self.start is None else weights_hash(self.start.network.state_dict()),
        }

    def fit(self, folder: Path, told: OnStep) -> Detector:
        """Train; writes config, card, log and weights to ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOG).unlink(missing_ok=True)

        def step_done(step: int, steps: int, figures: Mapping[str, float]) -> None:
            append(folder, figures)
            told(step, steps)

        made = fit(
            self.config,
            self.pairs,
            seed=self.seed,
            validation=self.validation,
            progress=step_done,
            start=self.start,
            mix=self.mix,
        )
        made.save(folder)
        return made


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Scores of one training. counts: (tiles, 6, 2, 2, 5) as in :class:`Confusion`.

    synthetic: number of synthetic pairs in training. damage: tile id -> (H, W) uint8 prediction
    0..4, for the tiles to show.
    """

    counts: np.ndarray
    synthetic: int
    damage: Mapping[str, np.ndarray]


def train_and_score(
    training: Training,
    evaluation: Sequence[LabelledPair],
    folder: Path,
    *,
    show: Sequence[str] = (),
    told: OnStep = lambda *_: None,
) -> Scored:
    """Train and score, or read the record of an earlier call. Raises OutputConflict."""
    decided = {
        **training.fingerprint(),
        "evaluation": pair_digest(evaluation),
        "show": sorted(show),
    }
    if not (folder / RECORD).is_file():
        _train(training, evaluation, folder, show, told, decided)
    return _read(folder, decided)


def _train(
    training: Training,
    evaluation: Sequence[LabelledPair],
    folder: Path,
    show: Sequence[str],
    told: OnStep,
    decided: Mapping[str, Any],
) -> None:
    detector = training.fit(folder, told)
    counts, damage = [], {}
    for pair in evaluation:
        found = detector.predict(pair.pre, pair.post)
        counts.append(Confusion().add(found.localization, found.damage, pair.known).counts)
        if pair.id in show:
            damage[pair.id] = found.target
    np.savez_compressed(folder / DAMAGE, **damage)  # type: ignore[arg-type]
    record = {
        "fingerprint": decided,
        "tiles": [pair.id for pair in evaluation],
        "counts": [tile.tolist() for tile in counts],
        "synthetic": sum(pair.synthetic for pair in training.pairs),
        "provenance": dict(detector.provenance),
        "decision": {
            "threshold": detector.decision.threshold,
            "level_bias": list(detector.decision.level_bias),
            "vote": detector.decision.vote,
        },
    }
    write_json(folder / RECORD, record)
    (folder / WEIGHTS).unlink(missing_ok=True)


def _read(folder: Path, decided: Mapping[str, Any]) -> Scored:
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        made = record["fingerprint"]
        counts = np.array(record["counts"], dtype=np.int64)
        synthetic = int(record["synthetic"])
        with np.load(folder / DAMAGE, allow_pickle=False) as arrays:
            damage = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputConflict(
            f"{path} cannot be used ({error!r}); remove the folder {folder} and run again"
        ) from error
    differing = [key for key in decided if made.get(key) != decided[key]]
    if differing:
        raise OutputConflict(
            f"{path} was made with another {', '.join(differing)}; "
            "choose another output folder, or remove this one"
        )
    return Scored(counts=counts, synthetic=synthetic, damage=damage)


def pair_digest(pairs: Sequence[LabelledPair]) -> str:
    """Hash of ids, kinds and pixels of the pairs."""
    keys = [[pair.id, pair.synthetic, *(name[:16] for name in pair.pixel_hashes)] for pair in pairs]
    return hashlib.sha256(json.dumps(keys).encode()).hexdigest()
