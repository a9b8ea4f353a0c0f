"""Small files that would take the machine: refused by their headers, before anything is decoded."""

import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from tests.geodata.test_odd_images import chunk

from afterscene.errors import BadImage
from afterscene.geodata.masks import read_mask
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.scene import read_scene, read_tags
from afterscene.geodata.tiles import Window

PLACE = {"crs": "EPSG:32616", "transform": Affine(0.5, 0, 500_000, 0, -0.5, 3_340_000)}


def sparse(path: Path, side: int, count: int = 1, dtype: str = "uint8", **profile) -> Path:
    """A TIFF in which no pixel is stored."""
    size = {"width": side, "height": side, "count": count, "dtype": dtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver="GTiff", sparse_ok=True, **size, **PLACE, **profile):
            pass
    return path


def flat_png(path: Path, side: int, colour: int = 2) -> Path:
    """A black PNG: about a thousandth of its pixels' bytes."""
    row, together = bytes(1 + side * (3 if colour == 2 else 1)), 50
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    part = pack.compress(row * together) + pack.flush(zlib.Z_FULL_FLUSH)
    check = (len(row) * side % 65_521 << 16 | 1).to_bytes(4, "big")  # Adler's sum of zeros
    body = b"\x78\xda" + part * (side // together) + b"\3\0" + check
    header = side.to_bytes(4, "big") * 2 + bytes([8, colour, 0, 0, 0])
    palette = chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    parts = chunk(b"IHDR", header) + palette + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


def bombs(folder: Path) -> list[Path]:
    big = {"tiled": True, "blockxsize": 4096, "blockysize": 4096}
    return [
        sparse(folder / "sparse.tif", 40_000, **big),
        sparse(folder / "strip.tif", 40_000, blockysize=40_000),
        sparse(folder / "deflate.tif", 30_000, blockysize=30_000, compress="deflate"),
        sparse(folder / "deep.tif", 16_000, count=4, dtype="float64", **big),
        sparse(folder / "endless.tif", 2_000_000, tiled=True, blockxsize=16384, blockysize=16384),
        flat_png(folder / "colour.png", 13_000),
    ]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read in /proc")
def test_each_is_refused_with_a_sentence_in_little_time_and_memory(tmp_path: Path) -> None:
    made = bombs(tmp_path)
    assert max(path.stat().st_size for path in made) < 600_000
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from afterscene.errors import BadImage\n"
        "from afterscene.geodata.masks import read_mask\n"
        "from afterscene.geodata.overview import ImageFile\n"
        "from afterscene.geodata.scene import read_scene\n"
        "from afterscene.geodata.tiles import Window\n"
        "ways = (read_scene, read_mask, lambda p: ImageFile(p).read(Window(0, 0, 64, 64)),\n"
        "        lambda p: ImageFile(p).small(1024))\n"
        "for name in sys.argv[1:]:\n"
        "    for way in ways:\n"
        "        try:\n            way(Path(name))\n"
        "        except BadImage as error:\n            print(error)\n"
        "line = next(x for x in open('/proc/self/status') if x.startswith('VmHWM'))\n"
        "print(int(line.split()[1]) // 1024)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *map(str, made)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    *sentences, peak = ran.stdout.splitlines()
    assert len(sentences) == 4 * len(made)
    assert all("would unpack to" in s or "cut it into tiles" in s for s in sentences)
    assert int(peak) < 400


def test_a_palette_that_unpacks_to_more_than_is_held_is_refused(tmp_path: Path) -> None:
    """177 million pixels; as a mask they are one byte each, as a picture more."""
    path = flat_png(tmp_path / "a.png", 13_300, colour=3)
    assert path.stat().st_size < 400_000
    with pytest.raises(BadImage, match=r"cut it into tiles|would unpack to"):
        read_scene(path)


def test_a_tile_that_is_unpacked_as_a_whole_is_refused_whatever_the_window(tmp_path: Path) -> None:
    """One tile of 625 million bytes in a file that is long enough for them."""
    side = 25_008
    one = {"tiled": True, "blockxsize": side, "blockysize": side}
    path = sparse(tmp_path / "a.tif", side, compress="deflate", **one)
    path.write_bytes(path.read_bytes() + bytes(4_000_000))
    for read in (lambda: ImageFile(path).read(Window(0, 0, 8, 8)), lambda: read_tags(path)):
        with pytest.raises(BadImage, match="cut it into tiles"):
            read()


def test_a_picture_of_few_colours_and_a_large_mask_are_read(tmp_path: Path) -> None:
    """What a limit on ratios alone would refuse."""
    mask = np.zeros((3000, 3000), np.uint8)
    mask[10:20, 10:20] = 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        size = {"width": 3000, "height": 3000, "count": 1, "dtype": "uint8"}
        with rasterio.open(tmp_path / "a.tif", "w", compress="deflate", **size) as target:
            target.write(mask, 1)
    assert 150 * (tmp_path / "a.tif").stat().st_size < 9_000_000
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), mask)
    assert read_scene(tmp_path / "a.tif").shape == (3000, 3000)


def test_a_mosaic_with_holes_is_read_by_windows(tmp_path: Path) -> None:
    """Two hundredths of it hold data: a picture of 400 MB that takes 3 on the disk."""
    path = sparse(tmp_path / "a.tif", 12_000, count=3, tiled=True, compress="deflate", nodata=0)
    ground = np.random.default_rng(0).integers(40, 200, (3, 1024, 1024), np.uint8)
    with rasterio.open(path, "r+") as target:
        target.write(ground, window=((2048, 3072), (4096, 5120)))
    found = ImageFile(path).read(Window(2048, 4000, 1024, 1024))
    np.testing.assert_array_equal(found.pixels[:, :, 96:], ground[:, :, :928])
    assert found.valid[:, 96:].all() and not found.valid[:, :96].any()


def test_pages_without_end_are_refused(tmp_path: Path) -> None:
    """10,000 directories in one file, each a picture."""
    import struct

    entry = struct.Struct("<HHII")
    tags = ((256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1))
    tags = (*tags, (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 4), (279, 4, 1, 16))
    body, at = bytearray(b"II*\0" + struct.pack("<I", 24) + bytes(16)), 24
    for number in range(10_000):
        body += struct.pack("<H", len(tags)) + b"".join(entry.pack(*tag) for tag in tags)
        at += 2 + 12 * len(tags) + 4
        body += struct.pack("<I", at if number < 9_999 else 0)
    (tmp_path / "a.tif").write_bytes(body)
    with pytest.raises(BadImage, match=r"a\.tif: holds \d+ pages|a\.tif: cannot be decoded"):
        read_scene(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["sparse.tif", "colour.png"])
def test_the_commands_end_with_that_sentence(afterscene, tmp_path: Path, name: str) -> None:
    import toys

    (tmp_path / "pre").mkdir()
    path = tmp_path / "pre" / name
    if name == "sparse.tif":
        sparse(path, 40_000, tiled=True, blockxsize=4096, blockysize=4096)
    else:
        flat_png(path, 13_000)
    label = tmp_path / "label.json"
    label.write_text(toys.label_text([toys.box_wkt(4, 4, 20, 20)], path.stem, side=40_000))
    out = ("--out", tmp_path / "out")
    for command in (
        ("synthesize", path, "--labels", label, "--hazard", "wind", *out),
        ("assess", "--pre", path, "--post", path, "--footprints", label, "-o", tmp_path / "o.gpkg"),
        (
            *("gbd", "plan", "--images", tmp_path / "pre", "--footprints", tmp_path),
            *("--hazard", "wind", "--count", 1, "--out", tmp_path / "p.jsonl"),
        ),
    ):
        outcome = afterscene(*command)
        assert outcome.code == 2, outcome.stderr
        assert name in outcome.stderr
        assert "Traceback" not in outcome.stderr
