"""bfloat16 by itself only where the processor has it; what is asked for is done anywhere."""

import pytest
import torch

from afterscene import computing
from afterscene.training.winograd import WinogradConv, trainable


@pytest.mark.parametrize("native", [True, False])
def test_auto_follows_the_processor(native, monkeypatch):
    monkeypatch.setattr(computing, "has_native_bfloat16", lambda: native)
    wide, narrow = torch.float32, torch.bfloat16
    expected = {"auto": narrow if native else wide, "bf16": narrow, "fp32": wide}
    weight = torch.ones(2, 2)
    for precision in computing.PRECISIONS:
        with computing.autocast(precision):
            assert (weight @ weight).dtype == expected[precision] == computing.dtype(precision)


@pytest.mark.parametrize("flag", [True, False, None])
def test_auto_asks_for_the_instructions(flag, monkeypatch):
    """Units: bfloat16; none, or a torch that cannot tell: float32, in training by Winograd."""
    if flag is None:
        monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: flag, raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    wide = torch.nn.Conv2d(96, 96, 3, padding=1)
    made = computing.prepared(torch.nn.Sequential(wide), "auto")[0]
    assert made.weight.dtype == (torch.bfloat16 if flag else torch.float32)
    assert type(made) is torch.nn.Conv2d
    kinds = [type(trainable(torch.nn.Sequential(wide), p)[0]) for p in ("fp32", "auto")]
    assert kinds == [torch.nn.Conv2d, torch.nn.Conv2d if flag else WinogradConv]


@pytest.mark.parametrize(("limit", "native"), [("AVX2", False), ("AVX512_CORE_BF16", True)])
def test_instructions_that_are_switched_off_are_not_there(limit, native, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert computing.has_native_bfloat16() is native
