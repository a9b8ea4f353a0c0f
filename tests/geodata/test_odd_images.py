"""A golden table of odd image files: each has a documented outcome, none ends in a trace."""

import io
import json
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from afterscene.errors import AftersceneError, BadImage
from afterscene.geodata import read_scene, read_tags
from afterscene.geodata.imagefiles import MAX_BYTES

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)


def png(mode: str, array: np.ndarray | None = None, **options: object) -> bytes:
    image = Image.fromarray(COLOUR if array is None else array)
    file = io.BytesIO()
    (image if image.mode == mode else image.convert(mode)).save(file, "PNG", **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def tiny_png(width: int, height: int, *extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * min(height * (width + 1), 10_000)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + pixels + chunk(b"IEND", b"")


def tiff(
    path: Path, bands: np.ndarray, *, mask: np.ndarray | None = None, **profile: object
) -> Path:
    count, height, width = bands.shape
    size = {"count": count, "height": height, "width": width, "dtype": bands.dtype}
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", **{"driver": "GTiff", **size, **profile}) as target:
            target.write(bands)
            if mask is not None:
                target.write_mask(mask)
    return path


def write(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue()


# ---------------------------------------------------------------- files that are read


def test_a_jpeg_named_png_is_a_jpeg(tmp_path: Path) -> None:
    content = jpeg(Image.fromarray(COLOUR))
    odd, plain = write(tmp_path, "a.png", content), write(tmp_path, "a.jpg", content)
    np.testing.assert_array_equal(read_scene(odd).pixels, read_scene(plain).pixels)
    tif = write(tmp_path, "a.tif", png("RGB"))
    np.testing.assert_array_equal(np.moveaxis(read_scene(tif).pixels, 0, 2), COLOUR)


def test_one_pixel_is_a_scene(tmp_path: Path) -> None:
    for path in (
        write(tmp_path, "a.png", png("L", np.array([[9]], np.uint8))),
        tiff(tmp_path / "a.tif", np.array([[[9]]], np.uint8)),
    ):
        assert read_scene(path).pixels.tolist() == [[[9]]]
        assert read_scene(path).rgb().tolist() == [[[9, 9, 9]]]


def test_palettes_become_colours(tmp_path: Path) -> None:
    indexed = Image.fromarray(COLOUR).quantize(16)
    colours = np.moveaxis(np.asarray(indexed.convert("RGB")), 2, 0)
    file = io.BytesIO()
    indexed.save(file, "PNG")
    found = read_scene(write(tmp_path, "a.png", file.getvalue()))
    np.testing.assert_array_equal(found.pixels, colours)
    assert found.valid.all()
    file = io.BytesIO()
    indexed.save(file, "PNG", transparency=3)
    found = read_scene(write(tmp_path, "b.png", file.getvalue()))
    np.testing.assert_array_equal(found.valid, np.asarray(indexed) != 3)
    path = tmp_path / "a.tif"
    index = np.asarray(indexed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(
            path, "w", driver="GTiff", count=1, height=6, width=8, dtype="uint8"
        ) as target:
            table = np.array(indexed.getpalette()).reshape(-1, 3)
            target.write(index, 1)
            target.write_colormap(1, {i: tuple(c) for i, c in enumerate(table.tolist())})
    np.testing.assert_array_equal(read_scene(path).pixels, colours)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    cmyk = Image.fromarray(COLOUR).convert("CMYK")
    found = read_scene(write(tmp_path, "a.jpg", jpeg(cmyk)))
    assert found.bands == 3
    assert np.abs(found.rgb().astype(int) - COLOUR).mean() < 12


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_becomes_the_valid_mask(tmp_path: Path, mode: str) -> None:
    alpha = np.where(GREY > 100, 255, 0).astype(np.uint8)
    alpha[0, 0] = 1  # translucent is still there
    bands = [COLOUR, alpha[..., None]] if mode == "RGBA" else [GREY[..., None], alpha[..., None]]
    found = read_scene(write(tmp_path, "a.png", png(mode, np.concatenate(bands, axis=2))))
    assert found.bands == len(mode) - 1
    np.testing.assert_array_equal(found.valid, alpha > 0)
    np.testing.assert_array_equal(found.pixels[0], GREY)


def test_a_transparent_colour_is_nodata(tmp_path: Path) -> None:
    found = read_scene(write(tmp_path, "a.png", png("L", GREY, transparency=15)))
    np.testing.assert_array_equal(found.valid, GREY != 15)
    corner = tuple(int(v) for v in COLOUR[2, 3])
    found = read_scene(write(tmp_path, "b.png", png("RGB", COLOUR, transparency=corner)))
    np.testing.assert_array_equal(found.valid, (corner != COLOUR).any(axis=2))


def test_bits_are_black_and_white(tmp_path: Path) -> None:
    bits = (GREY > 100).astype(np.uint8)
    one = read_scene(write(tmp_path, "a.png", png("1", bits * 255)))
    two = read_scene(tiff(tmp_path / "a.tif", bits[None], nbits=1))
    for found in (one, two):
        np.testing.assert_array_equal(found.pixels[0], bits * 255)


@pytest.mark.parametrize("bands", [1, 3])
def test_sixteen_bits_stay_sixteen(tmp_path: Path, bands: int) -> None:
    values = np.random.default_rng(0).integers(0, 65_536, (bands, 6, 8)).astype(np.uint16)
    path = tmp_path / "a.png"
    if bands == 1:
        Image.fromarray(values[0]).save(path)
    else:
        import cv2

        cv2.imwrite(str(path), np.moveaxis(values, 0, 2)[..., ::-1])
    found = read_scene(path)
    assert found.pixels.dtype == np.uint16
    np.testing.assert_array_equal(found.pixels, values)
    assert found.rgb().std() > 50


def test_a_gamma_or_rotation_note_changes_no_pixel(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees": labels refer to the stored pixels
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, "PNG", exif=exif, gamma=0.1)
    found = read_scene(write(tmp_path, "a.png", file.getvalue()))
    np.testing.assert_array_equal(np.moveaxis(found.pixels, 0, 2), COLOUR)


# ---------------------------------------------------------------- kinds of GeoTIFF

RAMP = np.arange(48, dtype=np.float32).reshape(1, 6, 8)


def test_float_nan_is_nodata_with_and_without_the_declaration(tmp_path: Path) -> None:
    values = RAMP.copy()
    values[0, 1, 2] = np.nan
    values[0, 3, 4] = np.inf
    for name, nodata in (("a.tif", np.nan), ("b.tif", None)):
        found = read_scene(tiff(tmp_path / name, values, nodata=nodata))
        assert np.argwhere(~found.valid).tolist() == [[1, 2], [3, 4]]
        assert not found.rgb()[1, 2].any()
        assert found.rgb().max() == 255


def test_int16_with_minus_9999(tmp_path: Path) -> None:
    values = RAMP.astype(np.int16) * 100
    values[0, 0, :3] = -9999
    found = read_scene(tiff(tmp_path / "a.tif", values, nodata=-9999))
    assert found.pixels.dtype == np.uint16
    assert found.valid.sum() == 45
    np.testing.assert_array_equal(found.pixels[0, 1:], values[0, 1:])
    below = RAMP.astype(np.int16) - 20
    found = read_scene(tiff(tmp_path / "b.tif", below))
    assert found.pixels.dtype == np.float32
    np.testing.assert_array_equal(found.pixels, below)


@pytest.mark.parametrize("dtype", ["uint32", "int32", "float64"])
def test_wide_types_become_float32(tmp_path: Path, dtype: str) -> None:
    found = read_scene(tiff(tmp_path / "a.tif", RAMP.astype(dtype)))
    assert found.pixels.dtype == np.float32
    np.testing.assert_array_equal(found.pixels, RAMP)


def test_nodata_zero_means_zero_in_all_bands(tmp_path: Path) -> None:
    bands = np.moveaxis(COLOUR, 2, 0).copy()
    bands[:, 2, 2] = 0
    bands[0, 4, 4] = 0
    found = read_scene(tiff(tmp_path / "a.tif", bands, nodata=0))
    assert not found.valid[2, 2]
    assert found.valid[4, 4]


def test_alpha_and_mask_and_infrared(tmp_path: Path) -> None:
    four = np.concatenate([np.moveaxis(COLOUR, 2, 0), np.where(GREY > 50, 255, 0)[None]])
    four = four.astype(np.uint8)
    alpha = read_scene(tiff(tmp_path / "a.tif", four, photometric="rgb", alpha="yes"))
    assert alpha.bands == 3
    np.testing.assert_array_equal(alpha.valid, GREY > 50)
    infrared = read_scene(tiff(tmp_path / "b.tif", four.astype(np.uint16)))
    assert (infrared.bands, infrared.valid.all()) == (4, True)
    np.testing.assert_array_equal(infrared.pixels, four)
    masked = read_scene(tiff(tmp_path / "c.tif", four[:3], mask=GREY > 80))
    np.testing.assert_array_equal(masked.valid, GREY > 80)
    grey = read_scene(tiff(tmp_path / "d.tif", four[2:], alpha="yes"))
    assert grey.bands == 1
    np.testing.assert_array_equal(grey.valid, GREY > 50)


@pytest.mark.parametrize(
    "transform",
    [Affine(0.4, 0.3, 5e5, 0.3, -0.4, 3e6), Affine(0.5, 0, 5e5, 0, 0.5, 3e6)],
    ids=["rotated", "south-up"],
)
def test_odd_transforms_are_kept(tmp_path: Path, transform: Affine) -> None:
    found = read_scene(tiff(tmp_path / "a.tif", RAMP, crs="EPSG:32616", transform=transform))
    assert found.transform == transform
    assert found.gsd == pytest.approx(0.5, rel=1e-3)


def test_the_antimeridian_keeps_the_grid(tmp_path: Path) -> None:
    place = Affine(0.01, 0, 179.97, 0, -0.01, -17)
    found = read_scene(tiff(tmp_path / "a.tif", RAMP, crs="EPSG:4326", transform=place))
    lng = found.lnglat(np.array([[0.0, 0.0], [8.0, 0.0]]))[:, 0]
    assert lng.tolist() == pytest.approx([179.97, 180.05])
    assert found.gsd == pytest.approx(1085, rel=0.01)


@pytest.mark.parametrize("bands", [2, 5, 12])
def test_other_band_counts_are_refused(tmp_path: Path, bands: int) -> None:
    with pytest.raises(BadImage, match=rf"has {bands} bands .*gdal_translate -b 5 -b 3 -b 2"):
        read_scene(tiff(tmp_path / "a.tif", np.zeros((bands, 4, 4), np.uint8)))


@pytest.mark.parametrize("dtype", ["complex64", "int8"])
def test_other_types_are_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(BadImage, match=rf"pixels are {dtype}, not brightness"):
        read_scene(tiff(tmp_path / "a.tif", np.zeros((1, 4, 4), dtype)))


def test_no_sidecar_is_read(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", RAMP)
    (tmp_path / "a.tfw").write_text("0.5\n0\n0\n-0.5\n500000\n3000000\n")
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><SRS>EPSG:32616</SRS><GeoTransform>1,2,0,3,0,2</GeoTransform></PAMDataset>"
    )
    found = read_scene(path)
    assert (found.crs, found.transform) == (None, None)


# ---------------------------------------------------------------- files that are refused

GOOD_PNG, GOOD_JPEG = png("RGB"), jpeg(Image.fromarray(np.tile(COLOUR, (8, 8, 1))))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", b"", r"is not a PNG, JPEG or TIFF \(it is empty\); export it"),
        ("a.tif", b"", "it is empty"),
        ("a.png", b"hello world", "its first bytes are b'hello wo'"),
        ("a.gif", GOOD_PNG, r"a.gif ends in '\.gif'; give an image"),
        ("a.png", GOOD_PNG[:8], "header is damaged"),
        ("a.png", GOOD_PNG[:20], "cannot be decoded|header is damaged"),
        ("a.png", GOOD_PNG[:-30], "cannot be decoded"),
        ("a.png", GOOD_PNG[:60] + b"\0\0" + GOOD_PNG[62:], "cannot be decoded"),
        ("a.jpg", GOOD_JPEG[: len(GOOD_JPEG) // 2], "cannot be decoded"),
        ("a.jpg", GOOD_JPEG[:30], "cannot be decoded|header is damaged"),
        ("a.tif", b"II*\0", "cannot be decoded"),
        ("a.tif", b"II*\0" + b"\xff" * 500, "cannot be decoded"),
        ("a.png", tiny_png(0, 0), "cannot be decoded|header is damaged"),
        ("a.png", tiny_png(50_000, 50_000), "cut it into tiles|exceeds limit"),
        ("a.png", tiny_png(2**31 - 1, 2**31 - 1), "cut it into tiles|exceeds limit"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(BadImage, match=words) as caught:
        read_scene(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cut_off_16_bit_png_and_tiff_are_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 65_536, (3, 64, 64)).astype(np.uint16)
    for driver, name in (("PNG", "a.png"), ("GTiff", "a.tif")):
        path = tiff(tmp_path / name, noise, driver=driver)
        path.write_bytes(path.read_bytes()[:9_000])
        with pytest.raises(BadImage, match="cannot be decoded"):
            read_scene(path)


def test_a_tiff_directory_of_wrong_types_is_named(tmp_path: Path) -> None:
    """GDAL's own error class comes out of rasterio here."""
    path = tiff(tmp_path / "a.tif", RAMP)
    content = bytearray(path.read_bytes())
    entry = content.index(struct.pack("<HH", 273, 4))  # StripOffsets, a long
    content[entry + 2 : entry + 4] = struct.pack("<H", 2)  # a text
    path.write_bytes(content)
    with pytest.raises(BadImage, match="cannot be decoded"):
        read_scene(path)


def test_several_frames_are_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(GREY[::-1].copy())]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(BadImage, match="holds 2 frames"):
        read_scene(write(tmp_path, "a.png", file.getvalue()))
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(BadImage, match="holds 2 pages"):
        read_scene(tmp_path / "a.tif")
    with_overview = tiff(tmp_path / "b.tif", np.zeros((1, 600, 600), np.uint8))
    with rasterio.open(with_overview, "r+") as target:
        target.build_overviews([2, 4])
    assert read_scene(with_overview).shape == (600, 600)


def test_a_tiff_of_absurd_size_is_refused_unread(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", RAMP)
    side = int(MAX_BYTES**0.5) + 2_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=side,
            height=side,
            count=1,
            dtype="uint8",
            sparse_ok=True,
            tiled=True,
        ) as target:
            target.update_tags(empty="yes")
    assert path.stat().st_size < 2_000_000
    with pytest.raises(BadImage, match="would unpack to"):
        read_scene(path)


def test_large_text_chunks_are_refused(tmp_path: Path) -> None:
    bomb = chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 50_000_000))
    path = write(tmp_path, "a.png", tiny_png(4, 4, bomb))
    assert path.stat().st_size < 100_000
    for read in (read_scene, read_tags):
        with pytest.raises(BadImage, match=r"a\.png"):
            read(path)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read in /proc")
def test_bombs_take_neither_time_nor_memory(tmp_path: Path) -> None:
    write(tmp_path, "bomb.png", tiny_png(50_000, 50_000))
    code = (
        "import sys\nfrom afterscene.geodata import read_scene\n"
        "from afterscene.errors import BadImage\n"
        "try:\n    read_scene(sys.argv[1])\nexcept BadImage:\n"
        # Not ru_maxrss: that starts with the size of the process that forked this one.
        "    line = next(x for x in open('/proc/self/status') if x.startswith('VmHWM'))\n"
        "    print(int(line.split()[1]) // 1024)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "bomb.png")],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert int(ran.stdout) < 500


VRT = """<VRTDataset rasterXSize="8" rasterYSize="6"><VRTRasterBand dataType="Byte" band="1">
<SimpleSource><SourceFilename relativeToVRT="0">{source}</SourceFilename></SimpleSource>
</VRTRasterBand></VRTDataset>"""


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.jpg"])
def test_a_vrt_in_disguise_reaches_nothing(tmp_path: Path, name: str) -> None:
    asked: list[str] = []

    class Canary(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

        do_HEAD = do_GET

    secret = tiff(tmp_path / "secret.tif", np.full((1, 6, 8), 77, np.uint8))
    with HTTPServer(("127.0.0.1", 0), Canary) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for source in (secret, "/etc/passwd", f"/vsicurl/http://127.0.0.1:{server.server_port}/x"):
            path = write(tmp_path, name, VRT.format(source=source).encode())
            with pytest.raises(BadImage, match="is not a PNG, JPEG or TIFF"):
                read_scene(path)
        server.shutdown()
    assert asked == []


@pytest.mark.parametrize(
    "texts",
    [
        {"AFTERSCENE_CRS": "nonsense"},
        {"AFTERSCENE_TRANSFORM": "1 2 3 4 5 x"},
        {"AFTERSCENE_TRANSFORM": "1 0 0 0 nan 0"},
        {"AFTERSCENE_TRANSFORM": ""},
        {"AFTERSCENE_TIME": "yesterday"},
    ],
)
def test_a_place_tag_that_is_no_place_is_refused(tmp_path: Path, texts: dict[str, str]) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    with pytest.raises(BadImage, match="AFTERSCENE_"):
        read_scene(write(tmp_path, "a.png", png("RGB", pnginfo=info)))


@pytest.mark.parametrize("comment", [b"by hand", b"{", b"[1]", b"[" * 50_000, b"\xff\xfe"])
def test_a_strange_jpeg_comment_is_only_a_comment(tmp_path: Path, comment: bytes) -> None:
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, "JPEG", comment=comment)
    path = write(tmp_path, "a.jpg", file.getvalue())
    assert read_scene(path).bands == 3
    assert read_tags(path).keys() <= {"comment"}
    json.dumps(read_tags(path))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["png", "jpg", "tif"]), st.data())
def test_damaged_bytes_raise_only_our_error(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole = {"png": GOOD_PNG, "jpg": GOOD_JPEG}.get(suffix)
    if whole is None:
        whole = tiff(folder / "whole.tif", RAMP, compress="deflate").read_bytes()
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = write(folder, f"damaged.{suffix}", bytes(content[: data.draw(st.integers(0, 2000))]))
    for read in (read_scene, read_tags):
        try:
            read(path)
        except AftersceneError as error:
            assert "\n" not in str(error)
