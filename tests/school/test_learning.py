"""Averaging, the one training loop, and the bridge: remove or add noise, the loop is the same."""

import math

import numpy as np
import pytest
import torch

from afterscene.errors import BadParameter, NotFinite
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.school.autoregression import (
    AddNoise,
    AveragingRegressor,
    Blocks,
    FitConfig,
    NextPixel,
    NextPixelConfig,
    PixelCNNModel,
    RemovalModel,
    Remove,
    Spaced,
    average_pictures,
    restoration_loss,
    train_steps,
    undo,
)
from afterscene.school.networks.pixelcnn import PixelCNNConfig


def two_towns(count=64, side=8, seed=0):
    """Pictures of stripes: label 0 lies, label 1 stands; phase and grey are drawn."""
    rng = np.random.default_rng(seed)
    label = rng.integers(2, size=count)
    rows, cols = np.indices((side, side))
    phase = rng.integers(4, size=(count, 1, 1))
    along = np.where(label[:, None, None] == 0, rows, cols)
    x = np.where((along + phase) % 4 < 2, 3, 0)
    return torch.from_numpy(x[:, None].repeat(3, axis=1)).long(), torch.from_numpy(label)


def test_averaging_ends_at_the_mean_of_each_label():
    x, label = two_towns()
    model = AveragingRegressor(classes=2, channels=3, size=(8, 8), levels=4)
    losses = list(train_steps(model, x, FitConfig(steps=200, batch=64, lr=0.05), label=label))
    closed = average_pictures(x, label, classes=2, levels=4)
    torch.testing.assert_close(model.table.detach(), closed, atol=0.1, rtol=0)
    assert losses[-1] < losses[0]
    drawn = model.sample(2, seed=1, label=torch.tensor([0, 1]))
    assert torch.equal(drawn, model.sample(2, seed=2, label=torch.tensor([0, 1])))
    # Every picture is black and white, their average is grey: between the two everywhere.
    assert closed.abs().max() < 0.7
    lonely = average_pictures(x, torch.zeros_like(label), classes=2, levels=4)
    torch.testing.assert_close(lonely[1], lonely[2])


def test_next_pixel_learns_and_sampling_beats_the_peak():
    torch.manual_seed(0)
    x, label = two_towns()
    config = NextPixelConfig(levels=4, reach=3, width=32, depth=1, classes=2)
    model = NextPixel(config)
    losses = list(train_steps(model, x, FitConfig(steps=100, batch=16, lr=1e-2), label=label))
    assert losses[0] > 1.0
    assert losses[-1] < 0.25
    drawn = model.sample(32, (8, 8), seed=0, label=torch.zeros(32, dtype=torch.int64))
    peak = model.sample(
        32, (8, 8), seed=0, label=torch.zeros(32, dtype=torch.int64), temperature=0.0
    )
    assert len(drawn.flatten(1).unique(dim=0)) > 3
    assert len(peak.flatten(1).unique(dim=0)) == 1


def test_pixelcnn_learns_the_stripes():
    torch.manual_seed(0)
    x, label = two_towns()
    config = PixelCNNConfig(levels=4, width=12, hidden=12, layers=2, first=5, classes=2)
    model = PixelCNNModel(config)
    losses = list(train_steps(model, x, FitConfig(steps=80, batch=16, lr=1e-2), label=label))
    assert losses[0] > 1.0
    assert losses[-1] < 0.25


def test_fit_is_a_function_of_its_seed():
    x, label = two_towns()
    ends = []
    for seed in (1, 1, 2):
        torch.manual_seed(0)
        model = NextPixel(NextPixelConfig(levels=4, reach=2, width=8, classes=2))
        list(train_steps(model, x, FitConfig(steps=3, batch=4, seed=seed), label=label))
        ends.append(model.window.weight.detach().clone())
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])
    with pytest.raises(BadParameter, match="2 classes"):
        model.loss(x, label=label + 1)


def test_fit_stops_at_nan():
    model = NextPixel(NextPixelConfig(levels=4, reach=2, width=8))
    torch.nn.init.constant_(model.window.bias, torch.nan)
    with pytest.raises(NotFinite, match="step 0"):
        list(train_steps(model, two_towns()[0], FitConfig(steps=3)))
    with pytest.raises(BadParameter):
        FitConfig(lr=0.0)


def unet(channels_out):
    return UNet(
        UNetConfig(
            channels_in=4,
            channels_out=channels_out,
            patch=1,
            widths=(16, 24),
            depths=(1, 1),
            embedding=16,
        )
    )


def test_removal_learns_and_spaced_beats_blocks():
    """Cells of 2x2 equal pixels: who draws a whole cell at once cannot know what it agreed on."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.integers(2, size=(256, 1, 3, 3)))
    x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    backbone = UNet(
        UNetConfig(channels_in=2, channels_out=16, patch=1, widths=(24,), depths=(2,), embedding=16)
    )
    model = RemovalModel(backbone, Spaced(steps=6), features=16, channels=1, levels=2)
    losses = list(train_steps(model, x, FitConfig(steps=200, batch=24, lr=1e-2)))
    assert np.mean(losses[-10:]) < 0.75 * losses[0]

    def whole_cells(strategy):
        drawn = model.sample(64, (6, 6), seed=0, strategy=strategy)
        cells = drawn.view(64, 3, 2, 3, 2).sum(dim=(2, 4))
        return ((cells == 0) | (cells == 4)).float().mean().item()

    assert whole_cells(Spaced(steps=6)) > 0.8
    assert whole_cells(Blocks(side=2)) < 0.3


def test_a_perfect_restorer_undoes_both_destructions():
    x0 = torch.rand(2, 3, 8, 8) * 2 - 1
    for corruption in (Remove(strategy=Spaced(steps=8)), AddNoise()):
        rng = np.random.default_rng(0)

        def know(seen, t):
            return x0

        states = list(undo(know, corruption, (2, 3, 8, 8), steps=8, rng=rng))
        assert len(states) == 8
        torch.testing.assert_close(states[-1], x0)
        assert (states[3] - x0).abs().max() > 0.1
        assert restoration_loss(know, corruption, x0, rng) == 0


def test_removal_puts_back_the_pixels_of_each_step():
    strategy = Spaced(steps=8)
    ranks = strategy.draw((8, 8), np.random.default_rng(3)).ranks
    corruption = Remove(strategy=strategy)
    shape = (1, 3, 8, 8)
    ones = torch.ones(shape)
    walk = undo(lambda seen, t: ones, corruption, shape, steps=8, rng=np.random.default_rng(3))
    for step, state in enumerate(walk):
        assert np.array_equal(state[0, 0].numpy() > 0, ranks <= step)
    half = corruption.corrupt(ones, torch.tensor([0.5]), np.random.default_rng(3))
    assert np.array_equal(half[0, 0].numpy() > 0, ranks < 4)
    assert np.array_equal(half[0, -1].numpy() > 0, ranks < 4)


def test_noise_and_the_mean_draw_a_gaussian():
    """The exact regressor of N(0, s^2) data: a step of averages ends with the data's variance."""
    deviation = 0.5

    def mean(seen, t):
        angle = 0.5 * math.pi * float(t[0])
        alpha, sigma = math.cos(angle), math.sin(angle)
        gain = alpha * deviation**2 / (alpha**2 * deviation**2 + sigma**2)
        return gain * seen[:, :-1]

    rng = np.random.default_rng(0)
    *_, drawn = undo(mean, AddNoise(), (64, 3, 16, 16), steps=200, rng=rng)
    assert float(drawn.std()) == pytest.approx(deviation, rel=0.02)
    # The same regressor under removal knows nothing of pixels that are gone: fog.
    *_, fog = undo(
        lambda seen, t: torch.zeros_like(seen[:, :-1]),
        Remove(strategy=Spaced(steps=16)),
        (4, 3, 16, 16),
        steps=16,
        rng=rng,
    )
    assert float(fog.std()) == 0.0


@pytest.mark.parametrize("corruption", [Remove(strategy=Spaced(steps=8)), AddNoise()])
def test_one_loop_trains_both(corruption):
    torch.manual_seed(0)
    x, _ = two_towns(count=32)
    pictures = x.float() / 1.5 - 1
    network = unet(3)

    def loss(some, label, rng):
        return restoration_loss(network, corruption, some, rng)

    losses = list(train_steps(network, pictures, FitConfig(steps=60, batch=16, lr=5e-3), loss=loss))
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:3])
