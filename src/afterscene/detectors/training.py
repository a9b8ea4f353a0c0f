"""Fits a detector with the common training loop (:mod:`afterscene.training.loop`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from afterscene.detectors.calibration import Mix, calibrate
from afterscene.detectors.config import DetectorConfig
from afterscene.detectors.detector import Detector
from afterscene.detectors.task import DetectorRun, DetectorTask
from afterscene.geodata.pair import LabelledPair, count_levels
from afterscene.training.loop import Trainer

#: progress(step, steps, figures): called after each optimiser step.
Progress = Callable[[int, int, Mapping[str, float]], None]


def fit(
    config: DetectorConfig,
    pairs: Sequence[LabelledPair],
    *,
    seed: int,
    validation: Sequence[LabelledPair] = (),
    progress: Progress | None = None,
    start: Detector | None = None,
    mix: Mix | None = None,
) -> Detector:
    """Train a detector on `pairs`; with `validation`, calibrate its decision on these.

    `mix` is the mix of levels to calibrate for. With `start`, training continues from that
    detector's weights (of the same architecture).

    Nothing is written; for a run with a folder, which can be resumed and use several processes, see
    :class:`afterscene.recipes.run.TrainRun`.
    Raises BadParameter (no pairs), BadWeights (`start` is another network), NotFinite.
    """
    run = DetectorRun.of(config, seed=seed)
    task = DetectorTask(run, pairs)
    trainer = Trainer(task, run)
    if start is not None:
        trainer.start_from(start.network.state_dict(), "the detector to start from")
    for record in trainer.run():
        if progress is not None:
            progress(record["step"], config.steps, record)
    before = () if start is None else start.provenance.get("tiles")
    made = {
        "steps": trainer.step,
        "seconds": round(trainer.seconds, 1),
        "tiles": None if before is None else sorted({*before, *(pair.id for pair in pairs)}),
    }
    return finish(task, trainer.average, pairs, validation, made, mix)


def finish(
    task: DetectorTask,
    average: Mapping[str, Tensor],
    pairs: Sequence[LabelledPair],
    validation: Sequence[LabelledPair],
    made: Mapping[str, Any],
    mix: Mix | None = None,
) -> Detector:
    """The detector with the averaged weights; `made` goes into its provenance."""
    provenance = {
        **made,
        "seed": task.config.seed,
        "encoder_weights": task.origin,
        "torch": torch.__version__,
        **_describe(pairs),
    }
    detector = Detector(task.finished(average), task.config.detector, provenance=provenance)
    if validation:
        decision, figures = calibrate(detector, validation, mix=mix)
        detector = detector.deciding(decision, validation=figures)
    return detector


def _describe(pairs: Sequence[LabelledPair]) -> dict[str, Any]:
    return {
        "pairs_real": sum(not pair.synthetic for pair in pairs),
        "pairs_synthetic": sum(pair.synthetic for pair in pairs),
        "events": dict(sorted(Counter(pair.event for pair in pairs).items())),
        "pixels": count_levels(pairs),
    }
