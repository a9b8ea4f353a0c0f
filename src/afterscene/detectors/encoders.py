"""Encoders by name, and which of them have published ImageNet weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor, nn

from afterscene.networks.efficientnet import EfficientNetLite0
from afterscene.networks.siamese import TinyEncoder
from afterscene.pretrained import lite0_available, read_lite0, weights_path

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


def pretrained_available(encoder: str) -> bool:
    """True where `encoder` has published weights and they are installed."""
    return encoder in PUBLISHED and lite0_available()
