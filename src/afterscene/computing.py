"""How to compute on this machine: bfloat16 where the processor has units for it, else float32.

On a processor without them bfloat16 is emulated, and a convolution takes 8 to 20 times as long as
in float32. The rule asks for the instructions and not for a stopwatch: pixels depend on the
precision, and a stopwatch could decide otherwise tomorrow. ``afterscene doctor`` measures both.
Where ``auto`` means float32, :func:`prepared` takes Winograd's convolutions, which err in the
fifth digit; ``fp32`` takes the plain ones.
"""

import copy
from typing import TypeVar

import torch
from torch import nn

from afterscene.networks.winograd import with_winograd

Network = TypeVar("Network", bound=nn.Module)
PRECISIONS = ("auto", "bf16", "fp32")


def has_native_bfloat16() -> bool:
    """True on x86 processors with AVX512-BF16 or AMX, as far as torch can tell."""
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe()) if probe is not None else False


def dtype(precision: str, device: str = "cpu") -> torch.dtype:
    """The type that ``auto``, ``bf16`` or ``fp32`` means on such a device."""
    if precision == "auto":
        native = torch.cuda.is_bf16_supported() if device == "cuda" else has_native_bfloat16()
        return torch.bfloat16 if native else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def autocast(precision: str, device: str = "cpu") -> torch.autocast:
    """A context in which convolutions and products are computed in :func:`dtype`."""
    enabled = dtype(precision, device) == torch.bfloat16
    return torch.autocast(device, torch.bfloat16, enabled=enabled)


def prepared(
    network: Network, precision: str = "auto", device: str = "cpu", *, local: bool = False
) -> Network:
    """A copy for inference as it runs fastest here: weights cast once, channels last.

    Call it outside of :func:`autocast`, with inputs in :func:`dtype`. ``local``: without Winograd's
    convolutions, whose rounding feels whole squares around a pixel; in float32 a window
    of a picture then gives the bits of the picture, one reach from the window's border on. In
    bfloat16 a few values still differ, as kernels are chosen by size.
    """
    network = copy.deepcopy(network).to(device, dtype(precision, device)).eval()
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    winograd = _winograd(precision, device) and not local
    return with_winograd(network, fixed=True) if winograd else network


def trainable(network: Network, precision: str = "auto", device: str = "cpu") -> Network:
    """``network`` itself, laid out for training under :func:`autocast`; its parameters stay."""
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return with_winograd(network, fixed=False) if _winograd(precision, device) else network


def _winograd(precision: str, device: str) -> bool:
    return precision == "auto" and device == "cpu" and dtype(precision) == torch.float32
