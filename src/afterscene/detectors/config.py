"""The configuration of a detector and its training: one frozen record, saved as JSON.

The defaults are those of ``unet``: measured on 104 xBD pairs with one CPU core, not copied from a
paper. A run is a function of this record, the pairs and the seed; only ``seconds`` (a limit on
wall time) makes it depend on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from afterscene.computing import PRECISIONS
from afterscene.errors import BadParameter

Order = Literal["mixed", "synthetic-first"]
Localization = Literal["pair", "pre"]


@dataclass(frozen=True, kw_only=True)
class DetectorConfig:
    """Fields of a detector; lengths in pixels, shares in [0, 1]. Raises BadParameter.

    encoder: ``lite0`` (ImageNet weights from the extra ``encoders``), ``tiny`` (from scratch),
    ``swin`` or ``clip`` (transformers, the extra ``pretrained``).
    backbone: local folder with the weights of a Swin or CLIP model, as saved by transformers.
    architecture: JSON of that model's configuration; "" for the small one from scratch.
    words: size of the embeddings of the levels' descriptions; 0 for a plain head.
    text: local folder of a text encoder for them; "": the CLIP model's own, or a fallback.
    pretrained: load the published weights, if the encoder has any and they are installed.
    frozen: number of first encoder stages that keep the published weights (0 if there are none).
    localization: ``pair``, or ``pre``: buildings are found in the pre image alone.
    width: decoder channels at stride 4; the tiny encoder starts with half of it.
    steps, batch, crop: optimiser steps of `batch` crops of `crop` x `crop` pixels.
    seconds: stop earlier, after this time; the cosine then ends there.
    lr, encoder_lr: AdamW peak rates of the new and of the pretrained layers.
    ema: decay of the averaged weights, which are the ones kept.
    synthetic_natural: on synthetic pairs, levels are drawn as often as buildings have them, because
    the hazard decides that mix; else according to ``level_weights``.
    synthetic_share: share of crops from synthetic pairs, if both kinds are given.
    order: ``mixed``, or ``synthetic-first``: that share of the steps uses synthetic crops only,
    the rest real ones only.
    background_share: share of crops placed anywhere; the others are near a building of a drawn
    level.
    level_weights: how often a level is drawn, among those that the pairs have.
    shift, zoom, jitter: misregistration of post against pre (pixels), relative scale, and relative
    brightness and contrast, each drawn uniformly up to these values.
    blur, grain: largest standard deviation of a blur of every second image (pixels), and of added
    noise (share of white).
    focus: focal exponent of the damage loss. dice: weight of the Dice terms.
    """

    encoder: str = "lite0"
    backbone: str = ""
    architecture: str = ""
    words: int = 0
    text: str = ""
    pretrained: bool = True
    frozen: int = 2
    localization: Localization = "pair"
    width: int = 48
    steps: int = 800
    seconds: float | None = None
    batch: int = 8
    crop: int = 256
    lr: float = 2e-3
    encoder_lr: float = 5e-4
    weight_decay: float = 1e-2
    warmup: int = 40
    ema: float = 0.99
    synthetic_natural: bool = False
    synthetic_share: float = 0.5
    order: Order = "mixed"
    background_share: float = 0.15
    level_weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    shift: int = 3
    zoom: float = 0.15
    jitter: float = 0.2
    blur: float = 0.0
    grain: float = 0.0
    focus: float = 1.0
    dice: float = 1.0
    precision: str = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "level_weights", tuple(float(w) for w in self.level_weights))
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise BadParameter(f"{name} = {value} is not between {low} and {high}; change it")
        from afterscene.detectors.encoders import ENCODERS  # a circular import otherwise

        for name, known in {**_CHOICES, "encoder": tuple(ENCODERS)}.items():
            if (value := getattr(self, name)) not in known:
                raise BadParameter(
                    f"{name} '{value}' is not known; choose one of: {', '.join(known)}"
                )
        if self.crop % 32:
            raise BadParameter(
                f"crop = {self.crop} is not a multiple of 32; choose one such as 256"
            )
        weights = self.level_weights
        if len(weights) != 4 or min(weights) < 0 or not sum(weights) > 0:
            raise BadParameter(
                f"level_weights = {weights} must be four numbers >= 0, not all 0; give 1 1 1 1"
            )

    def as_json(self) -> dict[str, Any]:
        """Plain values, the inverse of :meth:`from_json`; only the names of folders."""
        local = {name: Path(getattr(self, name)).name for name in ("backbone", "text")}
        return {**asdict(self), **local, "level_weights": list(self.level_weights)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DetectorConfig:
        """Raises BadParameter if a key is not a field or a value has the wrong type."""
        known = {field.name for field in fields(cls)}
        for key in values:
            if key not in known:
                raise BadParameter(f"detector config: '{key}' is not a field; remove it")
        try:
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise BadParameter(f"detector config: {error}; change the value") from error


_CHOICES = {
    "localization": get_args(Localization),
    "order": get_args(Order),
    "precision": PRECISIONS,
}
_RANGES = (
    *(("frozen", 0, 7), ("width", 8, 512), ("words", 0, 8192), ("steps", 1, 10_000_000)),
    *(("seconds", 0.1, 1e9), ("batch", 1, 4096), ("crop", 64, 4096), ("lr", 1e-8, 1.0)),
    *(("encoder_lr", 0.0, 1.0), ("weight_decay", 0.0, 10.0), ("warmup", 0, 1_000_000)),
    *(("ema", 0.0, 0.99999), ("synthetic_share", 0.0, 1.0), ("background_share", 0.0, 1.0)),
    *(("shift", 0, 64), ("zoom", 0.0, 0.9), ("jitter", 0.0, 0.9), ("blur", 0.0, 20.0)),
    *(("grain", 0.0, 0.5), ("focus", 0.0, 10.0), ("dice", 0.0, 100.0)),
)
