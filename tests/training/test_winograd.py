"""Winograd's convolution is a convolution: values, both gradients, any size, a whole network."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from afterscene import computing
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.training import winograd


@pytest.mark.parametrize("shape", [(1, 5, 4, 4), (3, 5, 8, 12), (2, 5, 20, 400)], ids=str)
def test_values_and_gradients_are_those_of_a_convolution(shape, monkeypatch):
    """Portions of pictures, of rows and of one row; in float64, so that nothing can hide."""
    monkeypatch.setattr(winograd, "LEAST_SQUARES", 1)
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    conv = nn.Conv2d(5, 7, 3, padding=1).double()
    pull = torch.randn(shape[0], 7, *shape[2:], dtype=torch.float64)
    told = torch.autograd.grad((conv(x) * pull).sum(), (x, conv.weight, conv.bias))
    ours = winograd.WinogradConv(conv, fixed=False)
    torch.testing.assert_close(ours(x), conv(x), atol=1e-10, rtol=1e-10)
    seen = torch.autograd.grad((ours(x) * pull).sum(), (x, conv.weight, conv.bias))
    for one, other in zip(seen, told, strict=True):
        torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-9)


def test_the_error_in_float32_is_small():
    torch.manual_seed(0)
    conv, x = nn.Conv2d(96, 96, 3, padding=1), torch.randn(2, 96, 32, 32)
    with torch.no_grad():
        exact = F.conv2d(x.double(), conv.weight.double(), conv.bias.double(), padding=1)
        error = (winograd.WinogradConv(conv, fixed=True)(x) - exact).abs().max() / exact.std()
    assert 0 < error < 2e-4


def test_what_does_not_fit_is_left_alone():
    odd = winograd.WinogradConv(nn.Conv2d(4, 4, 3, padding=1), fixed=True)
    assert odd(torch.zeros(1, 4, 6, 8)).shape == (1, 4, 6, 8)
    wide = dict(in_channels=96, out_channels=96, kernel_size=3, padding=1)
    for change in (dict(stride=2), dict(groups=2), dict(out_channels=48), dict(padding=0)):
        network = winograd.with_winograd(nn.Sequential(nn.Conv2d(**{**wide, **change})), fixed=True)
        assert isinstance(network[0], nn.Conv2d)
    assert isinstance(
        winograd.with_winograd(nn.Sequential(nn.Conv2d(**wide)), fixed=True)[0],
        winograd.WinogradConv,
    )


@pytest.mark.parametrize("fixed", [True, False])
def test_training_takes_its_products_where_the_squares_are_many(fixed, monkeypatch):
    """For fewer the transform of the weight costs more than it saves; fixed, it is free."""
    shapes, convolve = [], winograd.convolve
    monkeypatch.setattr(
        winograd, "convolve", lambda x, inside: shapes.append(x.shape[0]) or convolve(x, inside)
    )
    ours = winograd.WinogradConv(nn.Conv2d(4, 4, 3, padding=1), fixed=fixed)
    for count in (1, 2):  # pictures of 16 squares
        ours(torch.zeros(count, 4, 16, 16))
    assert shapes == ([1, 2] if fixed else [2])


def network():
    torch.manual_seed(0)
    made = UNet(
        UNetConfig(channels_in=3, channels_out=3, widths=(96, 128), depths=(1, 1), lean=True)
    )
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return made


@pytest.mark.parametrize("native", [True, False])
def test_a_prepared_network_answers_the_same(native, monkeypatch):
    """Cast once, or by Winograd for sampling; the network that was given stays as it was."""
    monkeypatch.setattr(computing, "has_native_bfloat16", lambda: native)
    plain, x, t = network(), torch.randn(2, 3, 16, 16), torch.rand(2)
    with torch.inference_mode():
        expected = plain(x, t)
        fast = computing.prepared(plain)
        assert {type(m).__name__ for m in fast.modules()} == {
            type(m).__name__ for m in plain.modules()
        }
        fast = fast if native else winograd.with_winograd(fast, fixed=True)
        answer = fast(x.to(computing.dtype("auto")), t).float()
        kinds = {type(module).__name__ for module in fast.modules()}
    assert ("WinogradConv" in kinds) is not native
    assert all(not isinstance(m, winograd.WinogradConv) for m in plain.modules())
    error = (answer - expected).norm() / expected.norm()
    assert error < (0.03 if native else 1e-4)
    exact = computing.prepared(plain, "fp32")
    with torch.inference_mode():
        torch.testing.assert_close(exact(x, t), expected)


def test_training_goes_on_with_the_same_parameters(monkeypatch):
    monkeypatch.setattr(computing, "has_native_bfloat16", lambda: False)
    monkeypatch.setattr(winograd, "LEAST_SQUARES", 1)
    plain, x, t = network(), torch.randn(2, 3, 16, 16), torch.rand(2)
    plain(x, t).square().mean().backward()
    told = {name: p.grad.clone() for name, p in plain.named_parameters() if p.grad is not None}
    names = list(plain.state_dict())
    plain.zero_grad()
    fast = winograd.trainable(plain)
    assert fast is plain and list(fast.state_dict()) == names
    fast(x, t).square().mean().backward()
    for name, parameter in fast.named_parameters():
        if name in told:
            scale = told[name].norm() + 1e-6
            assert (parameter.grad - told[name]).norm() < 1e-3 * scale, name
