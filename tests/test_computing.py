"""bfloat16 by itself only where the processor has it; what is asked for is done anywhere."""

import pytest
import torch

from afterscene import computing


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
    """Units: bfloat16 and oneDNN's convolutions; none, or a torch that cannot tell: Winograd's."""
    if flag is None:
        monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: flag, raising=False)
    wide = torch.nn.Conv2d(96, 96, 3, padding=1)
    made = computing.prepared(torch.nn.Sequential(wide), "auto")[0]
    assert made.weight.dtype == (torch.bfloat16 if flag else torch.float32)
    assert isinstance(made, torch.nn.Conv2d) == bool(flag)
    assert type(computing.prepared(torch.nn.Sequential(wide), "fp32")[0]) is torch.nn.Conv2d
    local = computing.prepared(torch.nn.Sequential(wide), "auto", local=True)[0]
    assert type(local) is torch.nn.Conv2d and local.weight.dtype == made.weight.dtype
