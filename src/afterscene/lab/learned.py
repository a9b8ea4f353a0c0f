"""A small detector trained on a synthetic set only, scored on places it was not trained on.

This tests that the pairs can be learned from: images and labels fit. It does not show that they
help on real images, since training and test are both synthetic here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afterscene.detectors import Detector, DetectorConfig, fit, load_detector
from afterscene.detectors.evaluation import score_pairs
from afterscene.detectors.storage import CARD
from afterscene.errors import BadParameter
from afterscene.gbd.dataset import Dataset, Entry
from afterscene.geodata.leaks import check_leaks
from afterscene.geodata.pair import read_pair
from afterscene.geodata.xbd import XbdTree


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A detector, the held-out pairs, and its scores on these."""

    detector: Detector
    pairs: int
    held: Sequence[Entry]
    scores: Mapping[str, Any]

    @property
    def one_level(self) -> float:
        """Mean F1 of the levels if every building were found and given the commonest level."""
        table = self.scores["objects"]["confusion"]
        counts = [sum(row.values()) for word, row in table.items() if word != "none"]
        share = max(counts) / sum(counts)
        return 2 * share / (1 + share) / sum(count > 0 for count in counts)

    @property
    def sentence(self) -> str:
        """Its result on the held-out pairs."""
        found = self.scores["objects"]
        return (
            f"A small detector, trained on {self.pairs} of the pairs, finds "
            f"{found['found']} of {found['buildings']} buildings in the {len(self.held)} held-out "
            f"pairs. The mean F1 of its damage levels is {found['macro_f1']:.2f}; giving every "
            f"building the commonest level would score {self.one_level:.2f}."
        )

    def as_json(self) -> dict[str, Any]:
        """Its scores."""
        return {"trained_on": self.pairs, "held": [e.id for e in self.held], **self.scores}


def learn(
    made: Path,
    folder: Path,
    config: DetectorConfig,
    places: Sequence[str],
    advance: Callable[[int], None] = lambda _: None,
) -> Learned:
    """Train on the pairs of all places but ``places``; score on the pairs of these.

    A finished detector in ``folder`` is not trained again.

    Raises:
        BadParameter: all pairs, or none, are of these places.
    """
    entries, tree = list(Dataset(made)), {pair.id: pair for pair in XbdTree(made).pairs()}
    held = [entry for entry in entries if entry.event in places]
    rest = [tree[entry.id] for entry in entries if entry.event not in places]
    if not held or not rest:
        raise BadParameter(
            f"{made}: {len(held)} pairs of {', '.join(places)} and {len(rest)} others; "
            "both are needed"
        )
    tests = [tree[entry.id] for entry in held]
    check_leaks([pair.fingerprint for pair in rest], [pair.fingerprint for pair in tests])
    if not (folder / CARD).is_file():  # written last
        pairs = [read_pair(pair, synthetic=True) for pair in rest]
        fit(config, pairs, seed=0, progress=lambda *_: advance(1)).save(folder)
    detector = load_detector(folder)
    scores = score_pairs(detector, tests).as_json()
    return Learned(detector=detector, pairs=len(rest), held=held, scores=scores)
