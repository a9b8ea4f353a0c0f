"""VGG: published sizes, read-outs that are what their names say."""

import pytest
import torch
from torch.nn import functional as F

from afterscene.school.networks.vgg import VGG, VGGConfig


def count(make):
    with torch.device("meta"):
        return sum(p.numel() for p in make().parameters())


def test_published_sizes():
    assert count(lambda: VGG(VGGConfig(depth=11))) == 132_863_336
    assert count(lambda: VGG(VGGConfig(depth=16))) == 138_357_544
    assert count(lambda: VGG(VGGConfig(depth=19))) == 143_667_240


@pytest.mark.parametrize("head", ["mean", "dense"])
def test_vgg_activations(head):
    torch.manual_seed(0)
    config = VGGConfig(depth=13, width=4, classes=3, head=head, dropout=0.0)
    network = VGG(config)
    x = torch.randn(2, 3, 32, 64)
    maps = network.activations(x)
    assert list(maps) == network.names()
    assert len(maps) == 10
    conv = network.stages[0][0][0]
    torch.testing.assert_close(
        maps["conv1_1"], F.relu(F.conv2d(x, conv.weight, conv.bias, padding=1))
    )
    second = network.stages[1][0][0]
    pooled = F.max_pool2d(maps["conv1_2"], 2)
    torch.testing.assert_close(maps["conv2_1"], F.relu(second(pooled)))
    assert maps["conv5_2"].shape == (2, 32, 2, 4)
    last = F.max_pool2d(maps["conv5_2"], 2)
    torch.testing.assert_close(network(x), network.head(last))
    if head == "mean":
        torch.testing.assert_close(network(x), network.head[2](last.mean(dim=(2, 3))))


def test_vgg_explains_itself_by_gradients():
    network = VGG(VGGConfig(depth=11, width=4, classes=2, head="mean", batch_norm=True)).eval()
    x = torch.randn(1, 3, 64, 64, requires_grad=True)
    network.activations(x)["conv2_1"][0, :, 0, 0].sum().backward()
    assert x.grad[0, :, :4, :4].abs().max() > 0
    assert x.grad[0, :, 8:, 8:].abs().max() == 0  # its receptive field ends before
    with pytest.raises(ValueError, match="one of"):
        VGGConfig(depth=12)
