"""PixelCNN's masks proved by gradients: nothing sees what comes later, nothing earlier is blind."""

import pytest
import torch

from afterscene.school.networks.pixelcnn import PixelCNN, PixelCNNConfig, channel_of_feature


def gradients(network, channels, size, **conditions):
    """``sees[o, i]``: whether the logits of value o react to value i, in generation order."""
    height, width = size
    x = torch.rand(1, channels, height, width, dtype=torch.float64) * 3
    x.requires_grad_(True)
    logits = network(x, **conditions)
    mixed = (logits * torch.randn_like(logits)).sum(dim=2)[0]
    rows = []
    for i in range(height):
        for j in range(width):
            for c in range(channels):
                (grad,) = torch.autograd.grad(mixed[c, i, j], x, retain_graph=True)
                rows.append(grad[0].permute(1, 2, 0).flatten() != 0)
    return torch.stack(rows)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("first", [3, 7])
def test_each_value_sees_all_earlier_ones_and_no_later_one(channels, first):
    torch.manual_seed(0)
    config = PixelCNNConfig(
        channels=channels, levels=4, width=24, hidden=24, layers=5, first=first, kernel=3
    )
    network = PixelCNN(config).double()
    for parameter in network.parameters():  # no ReLU may be dead on all features by chance
        torch.nn.init.normal_(parameter, std=0.5)
    network.head1.bias.data.add_(3.0)
    sees = gradients(network, channels, (4, 5))
    for _ in range(3):  # an edge is there if any draw of the values shows it
        sees |= gradients(network, channels, (4, 5))
    expected = torch.ones_like(sees).tril(-1)
    torch.testing.assert_close(sees & ~expected, torch.zeros_like(sees))
    torch.testing.assert_close(sees, expected)


def test_conditions_reach_every_value_and_break_no_mask():
    torch.manual_seed(0)
    # Wide enough that no value's last ReLUs are all silent.
    config = PixelCNNConfig(levels=4, width=36, hidden=48, layers=3, classes=2, context=5)
    network = PixelCNN(config).double()
    for table in network.label:
        torch.nn.init.normal_(table.weight)  # they hardly speak at first: as loud as after training
    context = torch.randn(1, 5, 4, 4, dtype=torch.float64, requires_grad=True)
    sees = gradients(network, 3, (4, 4), label=torch.tensor([1]), context=context)
    assert not (sees & torch.ones_like(sees).triu()).any()
    x = torch.randint(4, (1, 3, 4, 4))
    base = network(x, label=torch.tensor([1]), context=context)
    other = network(x, label=torch.tensor([0]), context=context)
    assert (base - other).abs().amax(dim=2).min() > 0
    silent = network(x, context=context)
    torch.testing.assert_close(network(x, label=torch.tensor([-1]), context=context), silent)
    # The first value sees the condition at its own place (1x1 convolutions).
    (grad,) = torch.autograd.grad(base[0, 0, :, 0, 0].square().sum(), context)
    assert grad[0, :, 0, 0].abs().max() > 0
    with pytest.raises(ValueError, match="5 channels"):
        network(x)


def test_groups_and_sizes():
    with pytest.raises(ValueError, match="without that condition"):
        PixelCNN(PixelCNNConfig(levels=2, width=3, hidden=3))(
            torch.zeros(1, 3, 4, 4, dtype=torch.int64), label=torch.tensor([0])
        )
    assert channel_of_feature(6, 3).tolist() == [0, 0, 1, 1, 2, 2]
    network = PixelCNN(PixelCNNConfig(levels=5, width=6, hidden=9, layers=1))
    assert network(torch.zeros(2, 3, 6, 4, dtype=torch.int64)).shape == (2, 3, 5, 6, 4)
    with pytest.raises(ValueError, match="multiples of the channels"):
        PixelCNNConfig(width=8)
    with pytest.raises(ValueError, match="odd"):
        PixelCNNConfig(first=4)
