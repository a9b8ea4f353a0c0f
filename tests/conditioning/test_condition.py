"""A part that is not said is a value of its own, never zero."""

from dataclasses import replace

import torch
from tests.generators import toy

from afterscene.conditioning import Condition
from afterscene.conditioning.condition import PICTURE_CHANNELS


def test_picture_has_one_channel_a_level_and_one_for_not_said():
    pre = torch.zeros(1, 3, 2, 3)
    levels = torch.tensor([[[0, 1, 2], [3, 4, 255]]])
    picture = Condition(pre=pre, levels=levels).picture()
    assert picture.shape == (1, PICTURE_CHANNELS, 2, 3)
    assert picture[0, 3:9].argmax(0).flatten().tolist() == [0, 1, 2, 3, 4, 5]
    assert (picture[0, 3:9].sum(0) == 1).all() and (picture[0, 9] == 1).all()


def test_levels_not_said_differ_from_background():
    pre = torch.zeros(1, 3, 2, 2)
    unsaid = Condition(pre=pre).picture()
    empty = Condition(pre=pre, levels=torch.zeros(1, 2, 2, dtype=torch.int64)).picture()
    assert not torch.equal(unsaid, empty)


def test_missing_hazard_and_style_use_learned_nulls():
    model, x, t = toy.model(), torch.randn(1, 3, 16, 16), torch.full((1,), 0.5)
    pre = torch.randn(1, 3, 16, 16)
    said = Condition(pre=pre, hazard=torch.tensor([0]), style=torch.zeros(1, 6))
    with torch.inference_mode():
        full = model(x, t, said)
        for part in ("hazard", "style"):
            assert not torch.allclose(full, model(x, t, replace(said, **{part: None})), atol=1e-6)
        minus_one = Condition(pre=pre, hazard=torch.tensor([-1]), style=torch.zeros(1, 6))
        unsaid = model(x, t, replace(said, hazard=None))
        torch.testing.assert_close(model(x, t, minus_one), unsaid)
        nan = Condition(pre=pre, hazard=torch.tensor([0]), style=torch.full((1, 6), torch.nan))
        torch.testing.assert_close(model(x, t, nan), model(x, t, replace(said, style=None)))
