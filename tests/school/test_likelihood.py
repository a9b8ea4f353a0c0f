"""Exact likelihoods on toys whose pictures can all be listed; samplers obey them."""

import itertools

import numpy as np
import pytest
import torch

from afterscene.errors import BadParameter
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.school.autoregression import (
    Blocks,
    MultiScalePixelCNN,
    NextPixel,
    NextPixelConfig,
    PixelCNNModel,
    Random,
    Raster,
    RemovalModel,
    Spaced,
    bits_per_value,
)
from afterscene.school.autoregression.pixels import (
    dequantize,
    quantize,
    sample_values,
    scale,
    uniforms,
    unscale,
)
from afterscene.school.networks.pixelcnn import PixelCNNConfig


def everything(channels, height, width, levels=2):
    """All pictures of a size: ``levels ** (C H W)`` of them."""
    values = itertools.product(range(levels), repeat=channels * height * width)
    return torch.tensor(list(values)).view(-1, channels, height, width)


def shake(model, seed=0):
    """Random parameters of size 0.5, so that the distribution is far from uniform."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(0.5 * noise.to(parameter.dtype))
    return model.eval()


def tiny_unet(channels, classes=0):
    return UNet(
        UNetConfig(
            channels_in=channels + 1,
            channels_out=8,
            patch=1,
            widths=(8,),
            depths=(1,),
            embedding=8,
            classes=classes,
        )
    )


def cnn(channels, classes=0):
    return PixelCNNConfig(
        channels=channels, levels=2, width=6, hidden=6, layers=2, first=3, classes=classes
    )


def next_pixel(channels, classes=0):
    return NextPixelConfig(channels=channels, levels=2, reach=2, width=8, depth=1, classes=classes)


def removal(channels, strategy, classes=0):
    backbone = tiny_unet(channels, classes)
    return RemovalModel(backbone, strategy, features=8, channels=channels, levels=2)


MAKERS = {
    "next pixel": lambda c, k=0: NextPixel(next_pixel(c, k)),
    "pixelcnn": lambda c, k=0: PixelCNNModel(cnn(c, k)),
    "multi-scale": lambda c, k=0: MultiScalePixelCNN(cnn(c, k), scales=2, context=4),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("label", [None, 1])
def test_total_probability_is_one(name, label):
    pictures = everything(3, 2, 2)  # 4096 pictures of RGB bits
    model = shake(MAKERS[name](3, 2))
    labels = None if label is None else torch.full((len(pictures),), label)
    with torch.no_grad():
        nats = model.log_prob(pictures, label=labels).double()
    assert nats.exp().sum().item() == pytest.approx(1.0, abs=1e-6)
    assert nats.std() > 0.3  # a distribution that says something


def test_three_scales():
    pictures = everything(1, 4, 4)
    model = shake(MultiScalePixelCNN(cnn(1), scales=3, context=2))
    total = 0.0
    with torch.no_grad():
        for part in pictures.split(2**14):
            total += model.log_prob(part).double().exp().sum().item()
    assert total == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    "strategy", [Raster(), Random(steps=2), Blocks(side=2), Spaced(steps=4, spacing=2.0)]
)
def test_total_probability_of_any_order_is_one(strategy):
    pictures = everything(3, 2, 2)
    model = shake(removal(3, strategy))
    order = strategy.draw((2, 2), np.random.default_rng(0))
    with torch.no_grad():
        nats = model.log_prob(pictures, order).double()
    assert nats.exp().sum().item() == pytest.approx(1.0, abs=1e-6)
    assert nats.std() > 0.3


def check_frequencies(samples, nats):
    """Counts of all pictures of n bits against the likelihood: chi-square, 2**n - 1 degrees."""
    weights = 2 ** torch.arange(samples[0].numel()).flip(0)
    numbers = (samples.flatten(1) * weights).sum(dim=1)
    expected = nats.double().exp() * len(samples)
    counts = torch.bincount(numbers, minlength=len(expected)).double()
    statistic = ((counts - expected) ** 2 / expected).sum().item()
    degrees = len(expected) - 1
    # Wilson and Hilferty's approximation of the quantile below which 99.9% lie.
    limit = degrees * (1 - 2 / (9 * degrees) + 3.09 * (2 / (9 * degrees)) ** 0.5) ** 3
    assert statistic < limit, f"chi-square {statistic:.1f}; 99.9% lie below {limit:.1f}"


@pytest.mark.parametrize("name", MAKERS)
def test_samples_follow_the_likelihood(name):
    model = shake(MAKERS[name](1))
    samples = model.sample(4000, (2, 2), seed=3)
    with torch.no_grad():
        check_frequencies(samples, model.log_prob(everything(1, 2, 2)))
        sharp = model.sample(500, (2, 2), seed=3, temperature=0.5)
        assert model.log_prob(sharp).mean() > model.log_prob(samples).mean()


def test_scales_do_not_share_their_chance():
    model = shake(MultiScalePixelCNN(cnn(1), scales=2, context=4))
    samples = model.sample(10_000, (2, 4), seed=3)
    with torch.no_grad():
        check_frequencies(samples, model.log_prob(everything(1, 2, 4)))


def test_samples_of_a_fixed_order_follow_its_likelihood():
    strategy = Raster()
    model = shake(removal(1, strategy))
    samples = model.sample(4000, (2, 2), seed=5)
    order = strategy.draw((2, 2), np.random.default_rng(0))
    with torch.no_grad():
        check_frequencies(samples, model.log_prob(everything(1, 2, 2), order))


def naive(model, count, size, seed, temperature, **conditions):
    """The whole network for every value."""
    channels = model.config.channels
    x = torch.zeros(count, channels, *size, dtype=torch.int64)
    u = uniforms(seed, count, (*size, channels))
    for i in range(size[0]):
        for j in range(size[1]):
            for c in range(channels):
                with torch.no_grad():
                    logits = model.network(x, **conditions)[:, c, :, i, j]
                x[:, c, i, j] = sample_values(logits, u[:, i, j, c], temperature)
    return x


@pytest.mark.parametrize("temperature", [1.0, 0.0])
def test_cached_sampling_equals_the_naive_way(temperature):
    config = PixelCNNConfig(levels=5, width=12, hidden=12, layers=3, first=5, classes=2, context=3)
    model = shake(PixelCNNModel(config)).double()
    label, context = torch.tensor([0, 1, -1]), torch.randn(3, 3, 5, 6, dtype=torch.float64)
    options = {"label": label, "context": context}
    expected = naive(model, 3, (5, 6), 11, temperature, **options)
    cached = model.sample(3, (5, 6), seed=11, temperature=temperature, **options)
    assert torch.equal(cached, expected)
    assert expected.unique().numel() > 1
    again = model.sample(2, (5, 6), seed=11, label=label[:2], context=context[:2])
    if temperature == 1.0:  # a picture does not depend on the batch it is drawn in
        assert torch.equal(again, cached[:2])


def test_next_pixel_window_equals_the_whole_picture():
    model = shake(NextPixel(NextPixelConfig(levels=5, reach=3, width=12))).double()
    model.requires_grad_(False)
    drawn = model.sample(2, (5, 6), seed=7)
    x, u = torch.zeros_like(drawn), uniforms(7, 2, (5, 6, 3))
    for i in range(5):
        for j in range(6):
            features = model.features(x).view(2, 5, 6, -1)[:, i, j]
            x[:, :, i, j], _ = model.head.draw(features, u[:, i, j])
    assert torch.equal(x, drawn)
    given = model.sample(2, (5, 6), seed=8, start=drawn, rows_given=3)
    assert torch.equal(given[:, :, :3], drawn[:, :, :3])
    assert not torch.equal(given, drawn)


def test_next_pixel_depends_on_nothing_later():
    model = shake(NextPixel(NextPixelConfig(levels=7, reach=2, width=12)))
    x = torch.randint(7, (1, 3, 4, 5), generator=torch.Generator().manual_seed(0))
    before = model.features(x).view(4, 5, -1)
    for place in range(20):
        changed = x.clone()
        changed[:, :, place // 5, place % 5] = (changed[:, :, place // 5, place % 5] + 3) % 7
        moved = (model.features(changed).view(20, -1) - before.view(20, -1)).abs().amax(dim=1)
        assert moved[: place + 1].max() == 0
        if place % 5 < 4:
            assert moved[place + 1] > 0


def test_multi_scale_keeps_the_coarse_picture():
    config = PixelCNNConfig(levels=4, width=6, hidden=6, layers=2, first=3)
    model = shake(MultiScalePixelCNN(config, scales=2))
    states = list(model.walk(2, (4, 6), seed=1))
    assert len(states) == 2 + 4
    coarse, fine = states[1][:, :, ::2, ::2], states[-1]
    assert torch.equal(fine[:, :, ::2, ::2], coarse)
    parts = model.scale_log_probs(fine)
    torch.testing.assert_close(parts[0], model.base.log_prob(coarse))
    with pytest.raises(BadParameter, match="multiples of 2"):
        model.log_prob(torch.zeros(1, 3, 3, 4, dtype=torch.int64))
    with pytest.raises(BadParameter, match="at least 2"):
        MultiScalePixelCNN(config, scales=1)


def test_a_regressor_has_no_likelihood_and_no_chance():
    config = NextPixelConfig(levels=9, reach=2, width=8, kind="mean")
    model = shake(NextPixel(config))
    with pytest.raises(BadParameter, match="likelihood"):
        model.log_prob(torch.zeros(1, 3, 4, 4, dtype=torch.int64))
    assert torch.equal(model.sample(2, (4, 4), seed=1), model.sample(2, (4, 4), seed=2))
    with pytest.raises(BadParameter, match="kind"):
        NextPixel(NextPixelConfig(kind="best"))


def test_values_and_draws():
    levels = 8
    values = torch.arange(levels)
    assert torch.equal(quantize(dequantize(values, levels), levels), values)
    assert torch.equal(unscale(scale(values, levels), levels), values)
    assert quantize(torch.tensor([-1.0, 1.0]), levels).tolist() == [0, levels - 1]
    logits = torch.log(torch.tensor([[0.2, 0.5, 0.3]]).expand(5, 3))
    u = torch.tensor([0.0, 0.19, 0.21, 0.69, 0.999])
    assert sample_values(logits, u).tolist() == [0, 0, 1, 1, 2]
    assert sample_values(logits, u, 0.0).tolist() == [1] * 5
    with pytest.raises(ValueError, match="negative"):
        sample_values(logits, u, -1.0)
    x = torch.zeros(2, 3, 4, 4)
    uniform = torch.full((2,), -np.log(16) * 48)
    torch.testing.assert_close(bits_per_value(uniform, x), torch.full((2,), 4.0))


def test_a_backbone_runs_with_labels():
    sizes = {"channels_in": 4, "channels_out": 16, "patch": 1, "classes": 4}
    backbone = UNet(UNetConfig(widths=(16, 24, 32), depths=(1, 1, 1), embedding=32, **sizes))
    model = RemovalModel(
        backbone,
        Spaced(steps=8),
        features=16,
        channels=3,
        levels=4,
    )
    x = torch.randint(4, (2, 3, 16, 16))
    loss = model.loss(x, label=torch.tensor([0, 3]), rng=np.random.default_rng(0))
    assert torch.isfinite(loss)
