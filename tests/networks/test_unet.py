"""The U-Net: conditions reach it, its reach is kept, attention where it is asked for."""

import pytest
import torch
from torch.nn import functional as F

from afterscene.networks.attention import MapAttention
from afterscene.networks.blocks import LeanBlock, ResidualBlock
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


def shaken(**more):
    """A small network whose zero-initialised layers were moved, so that they tell."""
    torch.manual_seed(1)
    net = UNet(
        UNetConfig(
            channels_in=3,
            channels_out=3,
            patch=1,
            widths=(8, 12),
            depths=(1, 1),
            embedding=8,
            **more,
        )
    ).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return net


def changed_places(net):
    """Where the output changes when one corner of a 32 x 32 picture does."""
    x = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    y = x.clone()
    y[..., 0, 0] += 1
    with torch.inference_mode():
        return (net(x, torch.ones(1)) - net(y, torch.ones(1))).abs().amax((0, 1)) > 0


def test_attention_at_a_chosen_scale_sees_the_whole_picture():
    near, far = changed_places(shaken()), changed_places(shaken(attention=(1,)))
    assert near[0, 0] and not near[31, 31] and far[31, 31]
    with pytest.raises(ValueError, match="no reach"):
        _ = shaken(attention=(1,)).config.reach
    with pytest.raises(ValueError, match="names scales"):
        shaken(attention=(2,))


def test_cross_attention_reads_a_set_of_tokens_and_knows_what_is_not_said():
    net = shaken(tokens=5)
    x, t, tokens = torch.randn(2, 3, 16, 16), torch.ones(2), torch.randn(2, 4, 5)
    with torch.inference_mode():
        said, turned = net(x, t, tokens=tokens), net(x, t, tokens=tokens.flip(1))
        other, silent = net(x, t, tokens=tokens + 1), net(x, t)
        half = net(x, t, tokens=torch.cat([tokens[:1], tokens[1:] * torch.nan]))
        zeros = net(x, t, tokens=torch.zeros(2, 4, 5))
    torch.testing.assert_close(said, turned)  # a set has no order
    assert not torch.allclose(said, other) and not torch.allclose(silent, zeros)
    torch.testing.assert_close(half[0], said[0])
    torch.testing.assert_close(half[1], silent[1])


def test_a_map_attends_as_the_formula_says():
    torch.manual_seed(0)
    look = MapAttention(6, 2, tokens=3)
    look.out.weight.data.normal_()
    x, tokens = torch.randn(1, 6, 2, 3), torch.randn(1, 4, 3)
    rows = look.norm(x)[0].flatten(1).T
    q, (k, v) = look.query(rows), look.key_value(tokens[0]).chunk(2, dim=1)
    heads = [
        ((q[:, h] @ k[:, h].T) / 3**0.5).softmax(1) @ v[:, h] for h in (slice(0, 3), slice(3, 6))
    ]
    expected = x[0].flatten(1).T + look.out(torch.cat(heads, dim=1))
    torch.testing.assert_close(look(x, tokens)[0].flatten(1).T, expected)


def test_a_new_network_is_as_if_its_attention_were_not_there():
    x = torch.randn(1, 6, 4, 4)
    for tokens in (None, torch.randn(1, 2, 3)):
        look = MapAttention(6, 3, tokens=0 if tokens is None else 3)
        assert torch.equal(look(x, tokens), x)


def test_an_added_embedding_shifts_the_map_before_its_norm():
    block = ResidualBlock(4, 4, 3, added=True)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter)
    x, embedding = torch.randn(2, 4, 4, 4), torch.randn(2, 3)
    hidden = block.conv1(F.silu(block.norm1(x))) + block.film(embedding)[:, :, None, None]
    torch.testing.assert_close(block(x, embedding), x + block.conv2(F.silu(block.norm2(hidden))))
    with pytest.raises(ValueError, match="lean or added"):
        shaken(lean=True, added=True)
