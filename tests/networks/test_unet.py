"""The U-Net: conditions reach it, its reach is kept."""

from dataclasses import replace

import pytest
import torch

from afterscene.networks.blocks import LeanBlock
from afterscene.networks.unet import UNet, UNetConfig

CONFIG = UNetConfig(
    channels_in=2, channels_out=3, widths=(8, 16), depths=(1, 1), embedding=16, vector=2, lean=True
)


def network():
    torch.manual_seed(1)
    made = UNet(CONFIG).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


def test_in_place_work_changes_no_value():
    made, x, t = network(), torch.randn(2, 2, 16, 16).double(), torch.rand(2)
    before = x.clone()
    with torch.no_grad():
        quick = made(x, t)
    torch.testing.assert_close(quick, made(x, t).detach())
    assert torch.equal(x, before)


def test_conditions_reach_the_output():
    made, x = network(), torch.randn(1, 2, 16, 16).double()
    base = made(x, torch.tensor([0.2]))
    assert (made(x, torch.tensor([0.7])) - base).abs().max() > 1e-3
    told = made(x, torch.tensor([0.2]), torch.zeros(1, 2))
    assert (told - base).abs().max() > 1e-3
    missing = torch.full((1, 2), torch.nan)
    torch.testing.assert_close(made(x, torch.tensor([0.2]), missing), base)


def test_a_pixel_sees_no_farther_than_its_reach():
    made, size = network(), 4 * CONFIG.reach
    x = torch.zeros(1, 2, 2 * CONFIG.stride, size // CONFIG.stride * CONFIG.stride).double()
    moved = x.clone()
    moved[..., 0] = 1
    with torch.no_grad():
        change = (made(moved, torch.zeros(1)) - made(x, torch.zeros(1))).abs().amax((0, 1, 2))
    assert change[CONFIG.reach + 1 :].max() == 0 and change[0] > 0


def test_a_lean_block_keeps_its_width():
    with pytest.raises(ValueError, match="keeps its width"):
        LeanBlock(8, 16, 4)


def test_metres_per_pixel_reach_the_output_and_a_network_without_them_is_as_ever():
    torch.manual_seed(0)
    plain = UNet(UNetConfig(channels_in=3, channels_out=3, widths=(8, 16), depths=(1, 1)))
    config = replace(plain.config, gsd=True)
    knowing = UNet(config)
    with torch.no_grad():
        for parameter in (*plain.parameters(), *knowing.parameters()):
            parameter.normal_(0, 0.1)
    x, t = torch.randn(2, 3, 16, 16), torch.tensor([0.5])
    assert torch.equal(plain(x, t), plain(x, t, gsd=torch.tensor([0.5, 1.0])))
    half, one = (knowing(x, t, gsd=torch.full((2,), g)) for g in (0.5, 1.0))
    unsaid = knowing(x, t, gsd=torch.tensor([torch.nan, 1.0]))
    assert not torch.allclose(half, one)
    assert torch.equal(unsaid[:1], knowing(x, t)[:1]) and torch.equal(unsaid[1:], one[1:])
    assert {*knowing.state_dict()} - {*plain.state_dict()} == {
        "gsd.weight",
        "gsd.bias",
        "gsd_null",
    }
