"""U-ViT against its own layer list, written out by hand; sizes; conditions; aspect ratio."""

import math

import pytest
import torch

from afterscene.networks.transformer import TransformerBlock, resize_positions, unpatch
from afterscene.networks.uvit import UViT, UViTConfig

TINY = UViTConfig(
    channels_in=2, channels_out=2, size=(4, 6), patch=2, width=8, depth=4, heads=2, classes=3
)


def build(config, seed=0):
    """All parameters random, norms and null rows included, so that nothing cancels."""
    torch.manual_seed(seed)
    network = UViT(config).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network


#: The paper's U-ViT-S/2, -M/2, -L/2, -H/2: width, depth, heads, millions of parameters.
PUBLISHED = [(512, 12, 8, 44), (768, 16, 12, 131), (1024, 20, 16, 287), (1152, 28, 16, 501)]


def millions(width, depth, heads, **changes):
    with torch.device("meta"):
        network = UViT(UViTConfig(width=width, depth=depth, heads=heads, **changes))
    return sum(p.numel() for p in network.parameters()) / 1e6


@pytest.mark.parametrize(("width", "depth", "heads", "published"), PUBLISHED)
def test_published_sizes(width, depth, heads, published):
    assert millions(width, depth, heads) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(("width", "depth", "heads", "published"), PUBLISHED[1:])
def test_class_conditional_imagenet_sizes(width, depth, heads, published):
    assert millions(width, depth, heads, classes=1000) == pytest.approx(published, rel=0.003)


def norm(x, layer):
    mean = x.mean(-1, keepdim=True)
    deviation = ((x - mean) ** 2).mean(-1, keepdim=True).add(1e-5).sqrt()
    return (x - mean) / deviation * layer.weight + layer.bias


def linear(x, layer):
    y = torch.einsum("nld,ed->nle", x, layer.weight)
    return y if layer.bias is None else y + layer.bias


def by_hand(block, x, skip=None):
    """[join] -> x + attention(LN x) -> x + W2 gelu(W1 LN x), head by head."""
    if skip is not None:
        x = linear(torch.cat([x, skip], -1), block.join)
    y = norm(x, block.norm1)
    width, heads = x.shape[-1], block.attention.heads
    each = width // heads
    query, key, value = linear(y, block.attention.qkv).split(width, dim=-1)
    mixed = []
    for head in range(heads):
        part = slice(head * each, (head + 1) * each)
        scores = query[..., part] @ key[..., part].transpose(1, 2) / math.sqrt(each)
        mixed.append(scores.softmax(-1) @ value[..., part])
    x = x + linear(torch.cat(mixed, -1), block.attention.out)
    y = linear(norm(x, block.norm2), block.mlp[0])
    y = y * 0.5 * (1 + torch.erf(y / math.sqrt(2)))
    return x + linear(y, block.mlp[2])


def test_forward_equals_the_layer_list():
    network = build(TINY)
    x = torch.randn(2, 2, 4, 6, dtype=torch.float64)
    t = torch.tensor([0.2, 0.9], dtype=torch.float64)
    label = torch.tensor([2, -1])

    frequency = [10_000.0 ** (-k / 4) for k in range(4)]
    time = torch.tensor(
        [
            [math.cos(1000 * float(v) * f) for f in frequency]
            + [math.sin(1000 * float(v) * f) for f in frequency]
            for v in t
        ],
        dtype=torch.float64,
    )
    classes = network.label.weight[[2, 3]]  # -1 is the row after the last class
    patches = []
    for row in range(2):
        for col in range(3):
            cut = x[:, :, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
            weight = network.patches.weight
            patches.append(torch.einsum("ncij,dcij->nd", cut, weight) + network.patches.bias)
    tokens = torch.stack([time, classes, *patches], 1) + network.positions
    first = by_hand(network.blocks_in[0], tokens)
    second = by_hand(network.blocks_in[1], first)
    middle = by_hand(network.middle, second)
    third = by_hand(network.blocks_out[0], middle, second)
    fourth = by_hand(network.blocks_out[1], third, first)
    numbers = linear(norm(fourth, network.norm), network.to_patch)[:, 2:]
    picture = torch.zeros(2, 2, 4, 6, dtype=torch.float64)
    for place in range(6):
        row, col = divmod(place, 3)
        for k in range(8):  # the numbers of a patch: row, column, channel
            i, j, c = k // 4, k // 2 % 2, k % 2
            picture[:, c, 2 * row + i, 2 * col + j] = numbers[:, place, k]
    expected = torch.nn.functional.conv2d(
        picture, network.final.weight, network.final.bias, padding=1
    )
    # The sinusoid is computed in float32 (angles up to 1000), hence the tolerance.
    torch.testing.assert_close(network(x, t, label), expected, atol=2e-4, rtol=2e-4)


def test_what_is_not_said_is_a_null_of_its_own():
    config = UViTConfig(size=(8, 8), width=16, depth=2, heads=2, classes=2)
    network = build(config)
    x, t = torch.randn(2, 4, 8, 8, dtype=torch.float64), torch.tensor(0.5)
    silent = network(x, t)
    torch.testing.assert_close(network(x, t, torch.tensor([-1, -1])), silent)
    said = network(x, t, torch.tensor([0, -1]))
    torch.testing.assert_close(said[1], silent[1])
    assert (said[0] - silent[0]).abs().max() > 1e-3
    plain = build(UViTConfig(size=(8, 8), width=16, depth=2, heads=2))
    with pytest.raises(ValueError, match="without classes"):
        plain(x, t, torch.tensor([0, 1]))


def test_any_aspect_ratio():
    network = build(UViTConfig(size=(8, 8), width=16, depth=2, heads=2))
    assert network(torch.randn(1, 4, 4, 20).double(), torch.tensor(0.1)).shape == (1, 4, 4, 20)
    with pytest.raises(ValueError, match="multiples of 2"):
        network(torch.randn(1, 4, 5, 8).double(), torch.tensor(0.1))


def test_resized_positions_keep_their_place():
    ramp = torch.linspace(0, 1, 8)
    positions = torch.stack([ramp[:, None].expand(8, 8), ramp[None].expand(8, 8)], -1)
    grown = resize_positions(positions.reshape(1, 64, 2), (8, 8), (8, 16)).view(8, 16, 2)
    torch.testing.assert_close(grown[:, :, 0], ramp[:, None].expand(8, 16), atol=1e-5, rtol=0)
    inner = grown[0, 2:-2, 1].diff()
    torch.testing.assert_close(inner, torch.full_like(inner, 1 / 14), atol=0.02, rtol=0)


def test_without_long_skips_it_is_a_plain_vit():
    network = build(UViTConfig(size=(4, 4), width=8, depth=2, heads=2, long_skips=False))
    assert all(block.join is None for block in network.blocks_out)
    assert network(torch.randn(1, 4, 4, 4).double(), torch.tensor(0.3)).shape == (1, 4, 4, 4)


def test_bad_sizes_are_refused():
    for wrong in ({"depth": 3}, {"width": 12}, {"size": (7, 8)}):
        with pytest.raises(ValueError):
            UViTConfig(**{"heads": 4, **wrong})
    with pytest.raises(ValueError, match="long skip"):
        TransformerBlock(8, 2, skip=True)(torch.zeros(1, 2, 8))
    assert unpatch(torch.arange(8.0).view(1, 2, 4), (1, 2), 2).tolist() == [
        [[[0, 1, 4, 5], [2, 3, 6, 7]]]
    ]
