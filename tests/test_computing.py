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
    assert computing.dtype("bfloat16") == narrow and computing.dtype("float32") == wide
