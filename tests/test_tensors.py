"""The door between pixels and torch, and that there is no other."""

import ast
from datetime import UTC, datetime

import numpy as np
import pytest
import torch
from affine import Affine

from afterscene.geodata import Scene
from afterscene.tensors import (
    from_numbers,
    from_pixels,
    from_unit,
    to_pixels,
    to_tensor,
    to_unit,
)
from tests.test_layers import SOURCE


def scene(bands: int = 3, dtype: str = "uint8", size: tuple[int, int] = (16, 16)) -> Scene:
    pixels = np.random.default_rng(0).integers(0, 256, (bands, *size)).astype(dtype)
    valid = np.ones(size, bool)
    valid[:2, :3] = False
    return Scene(
        pixels=pixels,
        valid=valid,
        crs="EPSG:32616",
        transform=Affine(0.5, 0, 6e5, 0, -0.5, 3e6),
        time=datetime(2018, 10, 13, tzinfo=UTC),
        source="here",
    )


def test_every_value_comes_back_to_the_bit() -> None:
    ramp = Scene(
        pixels=np.tile(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), (3, 1, 1)),
        valid=np.ones((16, 16), bool),
    )
    tensor = to_tensor(ramp)
    assert (tensor.shape, tensor.dtype) == ((3, 16, 16), torch.float32)
    assert (tensor.min(), tensor.max()) == (-1, 1)
    assert tensor.is_contiguous()
    np.testing.assert_array_equal(to_pixels(tensor), ramp.rgb())


@pytest.mark.parametrize(("bands", "dtype"), [(1, "uint8"), (4, "uint16"), (3, "float32")])
def test_what_comes_back_is_the_picture(bands: int, dtype: str) -> None:
    before = scene(bands, dtype)
    np.testing.assert_array_equal(to_pixels(to_tensor(before)), before.rgb())


def test_nodata_is_black() -> None:
    before = scene()
    assert (to_tensor(before)[:, ~torch.from_numpy(before.valid)] == -1).all()


def test_values_are_rounded_and_clipped_and_left_alone() -> None:
    values = torch.tensor([-7.0, -1, -0.999, 0, 0.004, 0.99, 1, 7], requires_grad=True)
    kept = values.detach().clone()
    pixels = to_pixels(values.reshape(2, 4).expand(3, 2, 4))
    assert pixels[..., 0].tolist() == [[0, 0, 0, 128], [128, 254, 255, 255]]
    assert torch.equal(values, kept)


def test_the_stretch_of_one_image_serves_its_pair() -> None:
    dark, bright = scene(dtype="uint16"), scene(dtype="uint16")
    bright = bright.replace(pixels=bright.pixels + 100)
    limits = dark.stretch()
    assert to_tensor(bright, stretch=limits).mean() > to_tensor(dark, stretch=limits).mean() + 0.2
    assert torch.equal(to_tensor(dark), to_tensor(dark, stretch=limits))


def test_stacks_of_pictures_come_and_go_as_scenes_do() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 7, 5, 3)).astype(np.uint8)
    x = from_pixels(pixels)
    assert (x.shape, x.dtype) == ((2, 3, 7, 5), torch.float32)
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(x[1], to_tensor(Scene.of_rgb(pixels[1])))
    assert np.array_equal(to_pixels(x), pixels)
    assert set(np.unique(to_pixels(1e6 * x))) == {0, 255}
    values = pixels.astype(np.float32)
    assert np.array_equal(to_unit(values), x.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(from_unit(to_unit(values)), values, atol=1e-4)


def test_levels_become_whole_numbers_and_shares_single_precision() -> None:
    levels = from_numbers(np.array([[0, 255]], np.uint8))
    assert (levels.dtype, levels.tolist()) == (torch.int64, [[0, 255]])
    assert from_numbers(np.array([0.25])).dtype == torch.float32


def test_no_other_module_of_the_library_turns_pixels_into_tensors() -> None:
    """From the door down: no ``from_numpy``, no 127.5, and no 255th where torch is at hand."""
    own = {"tensors.py", "pretrained.py"}  # pretrained reads weights, not pixels
    above = {"geodata", "networks", "diffusion", "school"}
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE)
        if str(name) not in own and name.parts[0] not in above:
            found += [f"{name}:{line}" for line in _doors(ast.parse(path.read_text()))]
    assert not found, f"use afterscene.tensors: {found}"


def _doors(tree: ast.Module) -> list[str]:
    """Where a module makes a tensor of an array or scales pixels."""
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import)]
    torch_here = any(a.name == "torch" for node in imports for a in node.names)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "from_numpy":
            found.append(f"{node.lineno} from_numpy")
        if isinstance(node, ast.Constant) and node.value == 127.5:
            found.append(f"{node.lineno} 127.5")
        divides = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if torch_here and divides and getattr(node.right, "value", None) == 255:
            found.append(f"{node.lineno} / 255")
    return found
