"""Named configurations; each is also a recipe (:mod:`afterscene.recipes.detector`)."""

from collections.abc import Mapping
from types import MappingProxyType

from afterscene.detectors.config import DetectorConfig

#: name -> config; ``dataclasses.replace`` changes single fields.
DETECTORS: Mapping[str, DetectorConfig] = MappingProxyType(
    {
        # Real pairs: ImageNet encoder, 800 steps of about 0.8 s on one core with AVX512-BF16.
        "unet": DetectorConfig(),
        # From scratch: 200 steps of about 0.2 s on one core.
        "tiny": DetectorConfig(
            encoder="tiny",
            pretrained=False,
            width=24,
            steps=200,
            batch=8,
            crop=256,
            lr=4e-3,
            warmup=10,
            ema=0.97,
        ),
        # Transformers' Swin, small and from scratch unless a local folder is given.
        "swin": DetectorConfig(encoder="swin", frozen=0, lr=1e-3, encoder_lr=1e-4),
        # A CLIP-style vision encoder; the levels are sentences of the Joint Damage Scale.
        "clip": DetectorConfig(encoder="clip", frozen=0, words=384, lr=1e-3, encoder_lr=1e-4),
    }
)
