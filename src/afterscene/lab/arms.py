"""Arms: one detector trained in different ways on the same real pairs, with the same steps.

``real`` samples buildings as often as they occur. Every other arm samples the damage levels of real
pairs equally often, as the winners of xView2 did, and those of synthetic pairs as the hazard mixed
them; its own addition is measured on top of that. ``copy-paste`` and ``gbd`` take a share of the
crops from synthetic pairs, made from the same pre images, damage maps and seeds by pasting real
ruins or by diffusion. ``augmented`` jitters, zooms, blurs and adds noise. ``gbd-then-real`` trains
on synthetic pairs first and on real ones afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from afterscene.detectors import DetectorConfig
from afterscene.geodata.pair import LabelledPair
from afterscene.registry import Registry
from afterscene.training.spots import Spots

Configure = Callable[[DetectorConfig, Sequence[LabelledPair]], DetectorConfig]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """How an arm differs.

    `synthetic` is "", "copy-paste" or "gbd"; `configure` maps the config and the real pairs to the
    config of the arm; `says` is its text in the report.
    """

    says: str
    synthetic: str = ""
    configure: Configure = lambda config, _: config

    @property
    def generative(self) -> bool:
        """True if it trains on generated images."""
        return self.synthetic == "gbd"


def natural(config: DetectorConfig, real: Sequence[LabelledPair]) -> DetectorConfig:
    """Levels sampled as often as they occur."""
    none, minor, major, destroyed = Spots.of(real).counts
    weights = (none, minor, major, destroyed)
    return replace(config, level_weights=weights) if any(weights) else config


def natural_pairs(config: DetectorConfig, _: Sequence[LabelledPair]) -> DetectorConfig:
    """Levels of synthetic pairs sampled as often as they occur there."""
    return replace(config, synthetic_natural=True)


def heavy(config: DetectorConfig, _: Sequence[LabelledPair]) -> DetectorConfig:
    """Twice the jitter, zoom and shift, with blur and noise."""
    return replace(
        config,
        jitter=min(0.9, 2 * config.jitter),
        zoom=min(0.9, 2 * config.zoom),
        shift=min(64, 2 * config.shift),
        blur=1.5,
        grain=0.05,
    )


ARMS: Registry[Arm] = Registry(
    "arm",
    {
        "real": Arm(says="real pairs, buildings sampled as they occur", configure=natural),
        "oversampled": Arm(says="real pairs, levels sampled equally often"),
        "copy-paste": Arm(
            says="and pasted real ruins", synthetic="copy-paste", configure=natural_pairs
        ),
        "augmented": Arm(says="and heavy augmentation", configure=heavy),
        "gbd": Arm(says="and generated pairs", synthetic="gbd", configure=natural_pairs),
        "gbd-then-real": Arm(
            says="generated pairs first, then real ones",
            synthetic="gbd",
            configure=lambda config, _: replace(
                config, order="synthetic-first", synthetic_natural=True
            ),
        ),
    },
)
