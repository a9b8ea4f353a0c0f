"""How to compute on this machine: bfloat16 where the processor has units for it, else float32.

On a processor without them bfloat16 is emulated, and a convolution takes 8 to 20 times as long as
in float32. The choice depends on the processor's instructions and not on a timing: pixels depend on
the precision, and a timing may turn out differently tomorrow. ``afterscene doctor`` measures both.
"""

import copy
import os
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)
PRECISIONS = ("auto", "bf16", "fp32")


#: Parts of the names of oneDNN's instruction sets that multiply in bfloat16.
_WITH_BFLOAT16 = ("BF16", "FP16", "AMX", "AVX10", "ALL", "DEFAULT")


def has_native_bfloat16() -> bool:
    """True on x86 processors with AVX512-BF16 or AMX, as far as torch can tell.

    Not where ``ONEDNN_MAX_CPU_ISA`` keeps oneDNN from using them, such as ``AVX2``.
    """
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() or "ALL"
    return probe is not None and bool(probe()) and any(part in limit for part in _WITH_BFLOAT16)


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


def prepared(network: Network, precision: str = "auto", device: str = "cpu") -> Network:
    """A copy for inference in the form that is fastest here: weights cast once, channels last.

    Call it outside of :func:`autocast`, with inputs in :func:`dtype`. In float32 a window of an
    image gives the same bits as the whole image, except within one reach of the window's border;
    in bfloat16 a few values differ, because kernels are chosen by size.
    """
    network = copy.deepcopy(network).to(device, dtype(precision, device)).eval()
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
