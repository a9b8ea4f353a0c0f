"""Swin and CLIP vision encoders from transformers as feature pyramids.

A transformer starts at stride 4 or 16; a house has some 25 pixels a side, so plain convolutions
give the finer strides before it: a stem at stride 2 before Swin's four stages (Liu et al. 2021,
arXiv 2103.14030), three or more before CLIP's grid of patches (Radford et al. 2021, arXiv
2103.00020). Weights come from a local folder in safetensors; without one the encoder is small and
untrained. Nothing is downloaded and nothing unpickled. transformers is in the extra ``pretrained``.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from afterscene.detectors.config import DetectorConfig
from afterscene.errors import BadWeights, MissingExtra, MissingFile
from afterscene.networks.siamese import TinyEncoder, conv_block

Config = TypeVar("Config", bound=DetectorConfig)
#: Means and standard deviations of ImageNet (Swin) and of CLIP's images, for values in 0..1.
SWIN_LOOK = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP_LOOK = ((0.4815, 0.4578, 0.4082), (0.2686, 0.2613, 0.2758))
SMALL_SWIN = {
    "embed_dim": 32,
    "depths": [2, 2, 2, 2],
    "num_heads": [2, 4, 8, 16],
    "window_size": 8,
    "image_size": 256,
}
SMALL_CLIP = {
    "hidden_size": 192,
    "intermediate_size": 768,
    "num_hidden_layers": 6,
    "num_attention_heads": 3,
    "image_size": 256,
    "patch_size": 16,
}


def library() -> Any:
    """The module transformers. Raises MissingExtra."""
    try:
        import transformers
    except ImportError as error:
        raise MissingExtra(
            "the detectors swin and clip need transformers, which is not installed; install it "
            'with: pip install "afterscene[pretrained]", or choose unet or tiny'
        ) from error
    return transformers


class _Look(nn.Module):
    """From our [-1, 1] to the values that the backbone was trained with."""

    def __init__(self, look: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
        super().__init__()
        mean, deviation = (torch.tensor(part).reshape(1, 3, 1, 1) for part in look)
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", deviation, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return ((x + 1) / 2 - self.mean) / self.deviation


class SwinPyramid(nn.Module):
    """Maps at strides 2, 4, 8, 16, 32; `architecture` is the JSON of a SwinConfig, or ""."""

    def __init__(self, architecture: str = "") -> None:
        super().__init__()
        transformers = library()
        values: dict[str, Any] = json.loads(architecture) if architecture else SMALL_SWIN
        names = [f"stage{i + 1}" for i in range(len(values["depths"]))]
        config = transformers.SwinConfig.from_dict({**values, "out_features": names})
        self.look = _Look(SWIN_LOOK)
        self.stem = conv_block(3, 16, stride=2)
        self.backbone = transformers.SwinBackbone(config)
        widths = (int(config.embed_dim * 2**i) for i in range(len(names)))
        self.channels = (16, *widths)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.look(x)
        return [self.stem(x), *self.backbone(x).feature_maps]


class ClipPyramid(nn.Module):
    """Maps at strides 2, 4, ... up to the patch (a power of two); JSON of a CLIPVisionConfig."""

    def __init__(self, architecture: str = "") -> None:
        super().__init__()
        transformers = library()
        config = transformers.CLIPVisionConfig.from_dict(
            json.loads(architecture) if architecture else SMALL_CLIP
        )
        self.patch = int(config.patch_size)
        if self.patch not in (8, 16, 32):
            raise BadWeights(
                f"a CLIP vision encoder with patches of {self.patch} pixels cannot be used; give "
                "one with 8, 16 or 32"
            )
        self.look = _Look(CLIP_LOOK)
        self.stem = TinyEncoder(16)
        count = self.patch.bit_length() - 2
        self.stem.stages = self.stem.stages[:count]
        self.backbone = transformers.CLIPVisionModel(config)
        self.channels = (*self.stem.channels[:count], int(config.hidden_size))

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.look(x)
        height, width = (side // self.patch for side in x.shape[-2:])
        tokens = self.backbone(x, interpolate_pos_encoding=True).last_hidden_state[:, 1:]
        grid = tokens.transpose(1, 2).unflatten(2, (height, width))
        return [*self.stem(x), grid.contiguous()]


def with_backbone(config: Config, folder: Path) -> Config:
    """The config with the architecture and the weights of a local folder.

    Raises MissingFile, and BadWeights if the folder has no matching Swin or CLIP model.
    """
    path = folder / "config.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingFile(
            f"{path} cannot be read ({error.strerror}); give a folder saved by transformers"
        ) from error
    except ValueError as error:
        raise BadWeights(f"{path} is not JSON ({error}); copy the model again") from error
    kind = str(said.get("model_type", ""))
    fits = {"swin": ("swin",), "clip": ("clip", "clip_vision_model")}.get(config.encoder, ())
    if kind not in fits:
        raise BadWeights(
            f"{path} describes a model of type {kind!r}, which does not fit encoder "
            f"'{config.encoder}'; choose --detector swin or clip to match"
        )
    vision = {**said.get("vision_config", {})} if kind == "clip" else said
    words = int(said.get("projection_dim", config.words)) if kind == "clip" else config.words
    return dataclasses.replace(
        config,
        backbone=str(folder),
        architecture=json.dumps(vision, sort_keys=True),
        words=words if config.words else 0,
    )


def load_backbone(encoder: nn.Module, folder: Path) -> None:
    """Read the local weights into the encoder. Raises BadWeights, MissingExtra."""
    backbone: Any = encoder.backbone
    try:
        loaded = type(backbone).from_pretrained(
            folder, config=backbone.config, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise BadWeights(
            f"{folder}: the weights cannot be read ({str(error).splitlines()[0][:150]}); give a "
            "folder with model.safetensors"
        ) from error
    backbone.load_state_dict(loaded.state_dict())
