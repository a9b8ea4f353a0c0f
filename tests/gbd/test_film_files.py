"""Films as files: what stands still stays the same in them, they are marked, browsers open them."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageSequence

from afterscene.errors import BadParameter, MissingExtra
from afterscene.gbd.filmfile import RATE, STANDS, check_suffix, write_film
from afterscene.geodata.scene import Scene, write_scene

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TAGS = {"AFTERSCENE_SYNTHETIC": "true"}
SHAPE = (65, 91)  # odd: 4:2:0 wants even sides
PLAYED = """async () => {
    const film = document.querySelector('video, img');
    if (film.tagName == 'IMG') { await film.decode(); return [film.naturalWidth, 1]; }
    film.muted = true;
    await new Promise((go, stop) => { film.onended = go; film.onerror = stop; film.play(); });
    return [film.videoWidth, film.duration];
}"""


@pytest.fixture
def frames(tmp_path):
    """Five frames in which a square goes over noise."""
    ground = np.random.default_rng(0).integers(40, 200, (*SHAPE, 3), np.uint8)
    paths = []
    for number in range(5):
        picture = ground.copy()
        picture[10:20, 10 * number : 10 * number + 10] = (250, 120, 20)
        paths.append(tmp_path / f"{number}.png")
        write_scene(Scene.of_rgb(picture), paths[-1])
    return paths


def test_a_gif_keeps_ground_that_does_not_change(frames, tmp_path):
    path = write_film(frames, tmp_path / "film.gif", TAGS)
    with Image.open(path) as image:
        pages = [np.asarray(page.convert("RGB")) for page in ImageSequence.Iterator(image)]
        image.seek(0)
        assert json.loads(image.info["comment"]) == TAGS
        assert image.info["duration"] == STANDS * (1000 // RATE)
    assert [page.shape for page in pages] == [(*SHAPE, 3)] * 5
    assert all(np.array_equal(page[25:], pages[0][25:]) for page in pages)
    with Image.open(frames[2]) as image:
        away = np.abs(pages[2].astype(int) - np.asarray(image.convert("RGB")))
    assert away.mean() < 12  # 256 colours for noise


def test_an_mp4_is_marked_and_has_all_frames(frames, tmp_path):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="no imageio-ffmpeg")
    path = write_film(frames, tmp_path / "film.mp4", TAGS)
    count, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert count == 3 + 2 * STANDS
    assert seconds == pytest.approx(count / RATE, abs=0.2)
    assert b"AFTERSCENE_SYNTHETIC" in path.read_bytes()


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_chromium_opens_it(frames, tmp_path, suffix):
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if suffix == ".mp4":
        pytest.importorskip("imageio_ffmpeg", reason="no imageio-ffmpeg")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser there: {', '.join(BROWSERS)}")
    film = write_film(frames, tmp_path / f"film{suffix}", TAGS)
    tag = "video" if suffix == ".mp4" else "img"
    page_file = tmp_path / "page.html"
    page_file.write_text(f"<{tag} src='{film.name}'></{tag}>")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(page_file.as_uri())
        width, seconds = page.evaluate(PLAYED)
        browser.close()
    assert width == SHAPE[1] + (suffix == ".mp4")
    assert seconds > 0.5


def test_other_suffixes_and_a_missing_extra_are_refused(tmp_path, monkeypatch):
    for name in ("film.avi", "film", "film.gif.txt"):
        with pytest.raises(BadParameter, match=r"\.gif or \.mp4"):
            check_suffix(tmp_path / name)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingExtra, match=r"afterscene\[film\]"):
        check_suffix(tmp_path / "film.mp4")
    check_suffix(tmp_path / "film.GIF")


def test_a_gif_needs_no_ffmpeg():
    code = "import afterscene.gbd.filmfile, sys; print('imageio_ffmpeg' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
