"""Masks of levels: what is stored is what is scored, however a file stores it."""

import io
import json
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from PIL import Image
from tests.generators.launch import toy_pairs

from afterscene.errors import BadImage, BadLabel
from afterscene.geodata.damage import COLOURS
from afterscene.geodata.masks import read_mask
from afterscene.geodata.pair import read_pair, read_pairs, read_target
from afterscene.geodata.xbd import Pair

LEVELS = np.array([0, 1, 2, 3, 4, 255], np.uint8)[np.arange(48).reshape(6, 8) % 6]
#: Another order than the levels', with black and white in it: colours are not the values.
PALETTE = [(255, 255, 255), *COLOURS.values()][:5]


def paletted(values: np.ndarray, palette=PALETTE) -> Image.Image:
    image = Image.fromarray(values, "P")
    image.putpalette([v for colour in palette for v in colour])
    return image


def bits_png(values: np.ndarray, depth: int) -> bytes:
    """A grey PNG of 1, 2 or 4 bits, which Pillow does not write."""
    height, width = values.shape
    bits = ((values[..., None] >> np.arange(depth)[::-1]) & 1).reshape(height, -1)
    rows = b"".join(b"\0" + np.packbits(row).tobytes() for row in bits.astype(np.uint8))

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(path: Path, bands: np.ndarray, colours: dict | None = None, **profile) -> Path:
    count, height, width = bands.shape
    size = {"count": count, "height": height, "width": width, "dtype": bands.dtype.name}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver="GTiff", **size, **profile) as target:
            target.write(bands)
            if colours:
                target.write_colormap(1, colours)
    return path


def saved(path: Path, values: np.ndarray, how: str) -> Path:
    """``values`` in one of the ways in which people save masks."""
    if how == "grey":
        Image.fromarray(values).save(path)
    elif how == "palette":
        paletted(values).save(path)
    elif how == "palette of 4 bits":
        paletted(values).save(path, bits=4)
    elif how == "palette, background clear":
        paletted(values).save(path, transparency=0)
    elif how == "palette of one colour":
        paletted(values, [(0, 0, 0)] * 5).save(path)
    elif how == "16 bits":
        Image.fromarray(values.astype(np.uint16)).save(path)
    elif how == "16-bit colour, bands alike":
        cv2.imwrite(str(path), np.repeat(values[..., None].astype(np.uint16), 3, axis=2))
    elif how == "bands alike":
        Image.fromarray(np.repeat(values[..., None], 3, axis=2)).save(path)
    elif how == "bands alike with alpha":
        Image.fromarray(np.dstack([*[values] * 3, 255 * (values > 0)]).astype(np.uint8)).save(path)
    elif how == "grey with alpha":
        Image.fromarray(np.dstack([values, np.full_like(values, 255)])).save(path)
    return path


WAYS = (
    *("grey", "palette", "palette of 4 bits", "palette, background clear"),
    *("palette of one colour", "16 bits", "16-bit colour, bands alike", "bands alike"),
    *("bands alike with alpha", "grey with alpha"),
)


@pytest.mark.parametrize("how", WAYS)
def test_what_is_stored_is_read(tmp_path: Path, how: str) -> None:
    levels = LEVELS % 5 if "4 bits" in how else np.minimum(LEVELS, 4)
    found = read_mask(saved(tmp_path / "a.png", levels, how))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, levels)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_are_not_stretched_to_255(tmp_path: Path, depth: int) -> None:
    values = LEVELS % 2**depth
    (tmp_path / "a.png").write_bytes(bits_png(values, depth))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), values)


def test_tiffs_are_read_as_they_are_stored(tmp_path: Path) -> None:
    colours = {i: (*PALETTE[i], 255) for i in range(5)}
    small = LEVELS % 5
    for name, bands, more in (
        ("plain", small[None], {}),
        ("palette", small[None], {"colours": colours}),
        ("bits", (small % 2)[None], {"nbits": 1}),
        ("sixteen", small[None].astype(np.uint16), {}),
        ("float", small[None].astype(np.float32), {}),
        ("alike", np.repeat(small[None], 3, axis=0), {}),
        ("nodata", small[None], {"nodata": 0}),
        ("tile", small[None].astype(np.int32), {"compress": "deflate"}),
    ):
        found = read_mask(tiff(tmp_path / f"{name}.tif", bands, **more))
        assert found.dtype == np.uint8, name
        np.testing.assert_array_equal(found, bands[0], err_msg=name)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((6, 8), 1000, np.uint16), "has the value 1000, which is not a level"),
        (np.array([[[1, 2, 3]] * 8] * 6, np.uint8), "is a picture in colours"),
        (np.array([[[1, 1, 1, 9], [1, 1, 2, 9]]] * 6, np.uint8), "is a picture in colours"),
    ],
)
def test_what_is_no_mask_is_refused_with_its_value(tmp_path, values, words) -> None:
    Image.fromarray(values).save(tmp_path / "a.png")
    with pytest.raises(BadImage, match=words) as caught:
        read_mask(tmp_path / "a.png")
    assert "a.png" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        (np.full((1, 6, 8), 0.5, np.float32), "has the value 0.5"),
        (np.full((1, 6, 8), np.nan, np.float32), "has the value nan"),
        (np.full((1, 6, 8), -1, np.int16), "has the value -1"),
        (np.full((1, 6, 8), 257, np.int32), "has the value 257"),
        (np.zeros((2, 6, 8), np.uint8), "has 2 bands, a mask has one"),
        (np.zeros((1, 6, 8), np.complex64), "values are complex64"),
    ],
)
def test_values_that_are_no_levels_are_named(tmp_path, bands, words) -> None:
    with pytest.raises(BadImage, match=words):
        read_mask(tiff(tmp_path / "a.tif", bands))


def test_a_jpeg_keeps_no_levels_whatever_its_name(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(LEVELS).save(file, "JPEG")
    (tmp_path / "a.png").write_bytes(file.getvalue())
    with pytest.raises(BadImage, match="is a JPEG, which keeps no exact values"):
        read_mask(tmp_path / "a.png")


def test_a_cut_off_mask_is_named(tmp_path: Path) -> None:
    whole = saved(tmp_path / "a.png", LEVELS, "palette").read_bytes()
    for size in (0, 8, 30, len(whole) - 20):
        (tmp_path / "a.png").write_bytes(whole[:size])
        with pytest.raises(BadImage, match=r"a\.png"):
            read_mask(tmp_path / "a.png")


# ---------------------------------------------------------------- where masks are read


@pytest.mark.parametrize("how", ["palette", "palette, background clear", "16 bits", "bands alike"])
def test_a_target_without_a_label_teaches_the_same(tmp_path: Path, how: str) -> None:
    """What `detect fit` and `detect score` take of a tile that has a target and no label."""
    folder = toy_pairs(tmp_path / "xbd", 2)
    wanted = {pair.id: pair.target for pair in read_pairs(folder)}
    (folder / "targets").mkdir()
    for label in (folder / "labels").iterdir():
        if "_post_" in label.name:
            name = label.stem.removesuffix("_post_disaster")
            saved(folder / "targets" / f"{label.stem}_target.png", wanted[name], how)
        label.unlink()
    found = {pair.id: pair.target for pair in read_pairs(folder)}
    assert found.keys() == wanted.keys()
    for name, target in found.items():
        np.testing.assert_array_equal(target, wanted[name])
        assert set(np.unique(target)) == {0, 1, 4}


def test_a_palette_index_beyond_the_levels_is_named(tmp_path: Path) -> None:
    paletted(LEVELS % 5 + 3).save(tmp_path / "a.png")
    with pytest.raises(BadLabel, match=r"a\.png: the target holds \[3, 4, 5, 6, 7\]"):
        read_target(tmp_path / "a.png")
    pre = tmp_path / "p.png"
    Image.fromarray(LEVELS).save(pre)
    pair = Pair(id="a", event="a", pre=pre, post=pre, target=tmp_path / "a.png")
    with pytest.raises(BadLabel, match="the target holds"):
        read_pair(pair)


def test_a_target_in_the_colours_of_a_map_is_refused_with_a_sentence(afterscene, tmp_path) -> None:
    folder = toy_pairs(tmp_path / "xbd", 1)
    (folder / "targets").mkdir()
    (label,) = (folder / "labels").glob("*_post_*")
    label.unlink()
    picture = np.array([(0, 0, 0), *COLOURS.values()], np.uint8)[
        np.arange(4096).reshape(64, 64) % 5
    ]
    Image.fromarray(picture).save(folder / "targets" / f"{label.stem}_target.png")
    outcome = afterscene("detect", "score", "--xbd", folder, "--quiet")
    assert outcome.code == 2
    assert "is a picture in colours, not a mask of levels" in outcome.stderr


@pytest.mark.parametrize("how", ["palette", "palette, background clear", "palette of one colour"])
def test_palette_masks_have_the_score_of_grey_ones(afterscene, tmp_path, how) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, (1024, 1024), np.uint8)
    said = np.where(rng.random(truth.shape) < 0.3, rng.integers(0, 5, truth.shape), truth)
    scores = []
    for folder, way in (("grey", "grey"), ("odd", how)):
        for role, values in (("prediction", said.astype(np.uint8)), ("target", truth)):
            (tmp_path / folder / role).mkdir(parents=True)
            for kind, mask in (("damage", values), ("localization", (values > 0).astype(np.uint8))):
                name = f"test_{kind}_00000_{role}.png"
                saved(tmp_path / folder / role / name, mask, way)
        run = afterscene(
            "score", tmp_path / folder / "prediction", tmp_path / folder / "target", "--json"
        )
        assert run.code == 0, run.stderr
        scores.append(json.loads(run.stdout))
    assert scores[0] == scores[1]
    assert 0.5 < scores[0]["score"] < 1
    # The official reader takes the same files for the same numbers.
    for path in (tmp_path / "odd").rglob("*_damage_*.png"):
        official = np.array(Image.open(path))
        assert official.dtype == np.uint8
        np.testing.assert_array_equal(official, read_mask(path))


def test_a_localisation_of_one_bit_is_buildings_and_not_ignored(afterscene, tmp_path) -> None:
    truth = np.random.default_rng(0).integers(0, 5, (1024, 1024), np.uint8)
    for role in ("prediction", "target"):
        (tmp_path / role).mkdir()
        Image.fromarray(truth).save(tmp_path / role / f"test_damage_00000_{role}.png")
        bits = Image.fromarray(255 * (truth > 0).astype(np.uint8)).convert("1")
        bits.save(tmp_path / role / f"test_localization_00000_{role}.png")
    run = afterscene("score", tmp_path / "prediction", tmp_path / "target", "--json")
    assert run.json["score"] == pytest.approx(1, abs=1e-5)
