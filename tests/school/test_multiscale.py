"""The 2015 network: its layer by loops, its bumps, its reverse kernel."""

import pytest
import torch

from afterscene.school.networks.multiscale import (
    MultiScaleConfig,
    MultiScaleConv,
    MultiScaleNetwork,
    bumps,
    reverse_kernel,
)


def test_layer_equals_loops():
    torch.manual_seed(0)
    layer = MultiScaleConv(2, 3, scales=2).double()
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64)
    half = torch.zeros(1, 2, 2, 2, dtype=torch.float64)
    for i in range(2):
        for j in range(2):
            half[:, :, i, j] = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean(dim=(2, 3))
    expected = torch.zeros(1, 3, 4, 4, dtype=torch.float64)
    for picture, conv, factor in ((x, layer.convs[0], 1), (half, layer.convs[1], 2)):
        side = picture.shape[-1]
        for i in range(4):
            for j in range(4):
                for u in range(-1, 2):
                    for v in range(-1, 2):
                        row, col = i // factor + u, j // factor + v
                        if 0 <= row < side and 0 <= col < side:
                            weight = conv.weight[:, :, u + 1, v + 1]
                            expected[0, :, i, j] += weight @ picture[0, :, row, col]
    expected = torch.log1p((expected + layer.convs[0].bias[None, :, None, None]).exp())
    torch.testing.assert_close(layer(x), expected)


def test_bumps_are_a_partition_of_time():
    weights = bumps(torch.linspace(0, 1, 101), 10)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(101))
    peaks = bumps((torch.arange(10) + 0.5) / 10, 10).argmax(dim=1)
    assert peaks.tolist() == list(range(10))
    # One spacing w away from the peak a bump has fallen by exp(-1/2).
    here = bumps(torch.tensor([0.45]), 10)[0]
    assert float(here[5] / here[4]) == pytest.approx(0.60653, abs=1e-4)


def test_time_only_changes_the_readout():
    torch.manual_seed(0)
    network = MultiScaleNetwork(MultiScaleConfig(width=8, layers=2, bumps=4))
    x = torch.randn(2, 3, 8, 12)
    t = torch.tensor([0.1, 0.8])
    y = network.readout(network.upper(network.lower(x))).view(2, 3, 4, 8, 12)
    expected = (y * bumps(t, 4)[:, None, :, None, None]).sum(dim=2)
    torch.testing.assert_close(network(x, t), expected)
    with pytest.raises(ValueError, match="multiples of 4"):
        network(torch.randn(1, 3, 6, 8), t[:1])


def test_reverse_kernel_starts_as_the_forward_one():
    x = torch.randn(2, 3, 4, 4)
    beta = torch.tensor([0.01, 0.3])
    mean, variance = reverse_kernel(x, torch.zeros(2, 6, 4, 4), beta)
    wide = beta[:, None, None, None].expand_as(x)
    torch.testing.assert_close(variance, wide)
    torch.testing.assert_close(mean, x * (1 - wide))
    # z_mu is where the step would end if it were repeated for ever.
    target = torch.full_like(x, 0.7)
    state = x
    for _ in range(3000):
        state, _ = reverse_kernel(state, torch.cat([target, torch.zeros_like(x)], 1), beta)
    torch.testing.assert_close(state, target)
