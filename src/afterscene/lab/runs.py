"""One training and its evaluation in a folder with a done-record, so that a stop costs one run.

The record is written last and holds the pixel counts of every evaluation tile, which is all that
the statistics need. It also holds a fingerprint of what decided the run (config, seed, pairs,
tiles); a folder with another fingerprint is refused, never mixed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.detectors import Detector, DetectorConfig, fit
from afterscene.detectors.calibration import Mix
from afterscene.detectors.config import Order
from afterscene.detectors.training import Progress
from afterscene.errors import BadParameter, OutputConflict
from afterscene.files import write_json
from afterscene.generators.checkpoint import weights_hash
from afterscene.geodata.pair import LabelledPair
from afterscene.metrics.confusion import Confusion

RECORD = "done.json"
DAMAGE = "predictions.npz"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A name and the pairs to train on; everything else is the same in all arms.

    start: a detector from which training goes on; None: it begins anew.
    mix: the mix of levels to calibrate for; None: that of the validation pairs.
    order: in which synthetic and real crops are seen; None: as the config of the run says.
    """

    name: str
    pairs: tuple[LabelledPair, ...]
    start: Detector | None = None
    mix: Mix | None = None
    order: Order | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", tuple(self.pairs))
        if not self.pairs or not self.name or not set(self.name) <= _NAME:
            raise BadParameter(
                f"arm '{self.name}' with {len(self.pairs)} pairs: give at least one pair and a "
                "name of letters, digits, + and -"
            )

    @property
    def fingerprint(self) -> str:
        """Hash of ids, kinds and pixels of the pairs."""
        return _digest([_pair_key(pair) for pair in self.pairs])


_NAME = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one training scored. counts: (tiles, 6, 2, 2, 5) as :class:`Confusion` keeps them.

    damage: tile id -> (H, W) uint8 predicted 0..4, for the tiles asked to be shown.
    """

    arm: str
    seed: int
    counts: np.ndarray
    provenance: Mapping[str, Any]
    damage: Mapping[str, np.ndarray]


def run_arm(
    arm: Arm,
    config: DetectorConfig,
    evaluation: Sequence[LabelledPair],
    validation: Sequence[LabelledPair],
    *,
    seed: int,
    folder: Path,
    show: Sequence[str] = (),
    progress: Progress | None = None,
) -> Run:
    """Train and evaluate, or read what an earlier call finished. Raises OutputConflict."""
    config = config if arm.order is None else replace(config, order=arm.order)
    print_of = {
        "config": config.as_json(),
        "seed": seed,
        "pairs": arm.fingerprint,
        "validation": _digest([_pair_key(pair) for pair in validation]),
        "evaluation": _digest([_pair_key(pair) for pair in evaluation]),
        "show": sorted(show),
        **({} if arm.mix is None else {"mix": list(arm.mix)}),
        **({} if arm.start is None else {"start": weights_hash(arm.start.network.state_dict())}),
    }
    if (folder / RECORD).is_file():
        return _read(folder, arm.name, seed, print_of)
    detector = fit(
        config,
        arm.pairs,
        seed=seed,
        out=folder,
        validation=validation,
        progress=progress,
        start=arm.start,
        mix=arm.mix,
    )
    counts, damage = [], {}
    for pair in evaluation:
        found = detector.predict(pair.pre, pair.post)
        tile = Confusion().add(found.localization, found.damage, pair.target)
        counts.append(tile.counts)
        if pair.id in show:
            damage[pair.id] = found.target
    np.savez_compressed(folder / DAMAGE, **damage)  # type: ignore[arg-type]
    record = {
        "fingerprint": print_of,
        "tiles": [pair.id for pair in evaluation],
        "counts": [tile.tolist() for tile in counts],
        "provenance": dict(detector.provenance),
        "decision": {
            "threshold": detector.decision.threshold,
            "level_bias": list(detector.decision.level_bias),
            "vote": detector.decision.vote,
        },
    }
    write_json(folder / RECORD, record)
    return Run(
        arm=arm.name,
        seed=seed,
        counts=np.stack(counts),
        provenance=detector.provenance,
        damage=damage,
    )


def _read(folder: Path, arm: str, seed: int, print_of: Mapping[str, Any]) -> Run:
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        made = record["fingerprint"]
        counts = np.array(record["counts"], dtype=np.int64)
        with np.load(folder / DAMAGE, allow_pickle=False) as arrays:
            damage = {name: arrays[name] for name in arrays.files}
        provenance = record["provenance"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputConflict(
            f"{path} cannot be used ({error!r}); remove the folder {folder} and run again"
        ) from error
    differing = [key for key in print_of if made.get(key) != print_of[key]]
    if differing:
        raise OutputConflict(
            f"{path} was made with another {', '.join(differing)}; "
            "choose another output folder, or remove this one"
        )
    return Run(arm=arm, seed=seed, counts=counts, provenance=provenance, damage=damage)


def _pair_key(pair: LabelledPair) -> list[Any]:
    pixels = [name[:16] for name in pair.pixel_hashes]
    return [pair.id, pair.synthetic, *pixels]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
