"""The course's pages in headless Chromium, as wide as a desk and as a phone.

The pages carry the real texts and code of all lessons in both languages; the figures are stand-ins
of the sizes that lessons draw, so that no lesson has to run. Without a browser, links and pictures
are checked alone. The same check serves a built site:

    python -m pytest tests/school/test_browser.py  (AFTERSCENE_SITE=folder for that folder too)
"""

import io
import os
import shutil
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_output
from PIL import Image

from afterscene.geodata.scene import Scene
from afterscene.pages.pair import show_pair
from afterscene.school.catalogue import lessons, whole_course
from afterscene.school.markdown import write_pages
from afterscene.school.notebook import KEPT
from afterscene.school.site import build_site
from pagecheck import ABSENT, check_pages

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZES = {"figure": (416, 700), "animation": (1088, 64)}  # the widest that lessons make
SEEN = """() => ({
    broken: [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src),
    width: document.documentElement.scrollWidth,
    outside: [...document.querySelectorAll('.md-content *')]
        .filter(e => !e.closest('pre, table, .formula, .md-typeset__scrollwrap'))
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.tagName + ' ' + e.textContent.slice(0, 40)),
    small: [...document.querySelectorAll('.md-content :is(p, li, td, pre, code)')]
        .filter(e => parseFloat(getComputedStyle(e).fontSize) < 11)
        .map(e => e.tagName + ' ' + e.textContent.slice(0, 40)),
})"""


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium of the system, driven by Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser there: {', '.join(BROWSERS)} (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield one
        one.close()


def pretend(lesson):
    """As if ``lesson`` had run: a stand-in for each figure and animation that its script makes."""
    book = lesson.notebook()
    book.metadata[KEPT] = {"key": "", "seconds": 1.0, "small": True}
    for index, cell in enumerate(cell for cell in book.cells if cell.cell_type == "code"):
        cell.outputs.append(new_output("stream", name="stdout", text="a measured number " * 8))
        for kind, size in SIZES.items():
            for number in range(cell.source.count(f"lesson.{kind}(")):
                named = {"filename": f"{lesson.name}-{index}-{kind}-{number}.png", "alt": kind}
                data = {"image/png": grey(size)}
                cell.outputs.append(new_output("display_data", data=data, metadata=named))
    return lesson, book


def grey(size) -> str:
    pixels = np.random.default_rng(0).integers(256, size=size[::-1], dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The site of all lessons in both languages, and of the tutorials."""
    out = tmp_path_factory.mktemp("site")
    write_pages([pretend(lesson) for lesson in whole_course()], out / "pages")
    build_site(out / "pages", out / "site")
    return out / "site"


def test_all_pages_together_have_no_broken_link(folder):
    made = {page.name for page in folder.glob("*.html")} - {ABSENT}
    assert len(made) == len(whole_course()) + len(lessons()) + 2
    assert check_pages(folder) >= 4 * len(lessons())


def test_every_page_has_its_other_language(folder):
    for name in ("index", lessons()[0].name):
        for here, there in ((name, f"{name}.zh"), (f"{name}.zh", name)):
            page = (folder / f"{here}.html").read_text("utf-8")
            assert f'<a href="{there}.html">' in page
            assert f'<html lang="{"zh-CN" if here.endswith("zh") else "en"}"' in page
    assert "平均出来的图像" in (folder / "index.zh.html").read_text("utf-8")


def test_a_browser_shows_every_page_without_scrolling_sideways(browser, folder):
    look(browser, folder)
    built = os.environ.get("AFTERSCENE_SITE")
    if built:
        check_pages(Path(built))
        look(browser, Path(built).resolve())


def test_the_divider_of_a_pair_follows_mouse_and_keys(browser, tmp_path):
    scenes = (Scene.of_rgb(np.full((200, 300, 3), value, np.uint8)) for value in (0, 255))
    (tmp_path / "pair.html").write_text(show_pair(*scenes).html, "utf-8")
    view = browser.new_page(viewport={"width": 390, "height": 800})
    view.goto((tmp_path / "pair.html").as_uri())
    pair = view.locator(".as-pair")
    box, at = pair.bounding_box(), lambda: pair.evaluate("x => x.style.getPropertyValue('--at')")
    assert at().strip() == "50%"
    view.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.8 * box["height"])
    assert abs(float(at().strip("%")) - 25) <= 1
    view.keyboard.press("End")
    view.keyboard.press("ArrowLeft")
    assert at() == "99.5%"
    view.close()


def look(browser, folder: Path) -> None:
    """Open every page; nothing loaded from a network, nothing wider than the window or too small.

    Every page as wide as a phone, the first of them as wide as a desk, too.
    """
    view, asked = browser.new_page(), []
    view.on("request", lambda request: asked.append(request.url))
    found = sorted(folder.rglob("*.html"))
    for width, shown in ((390, found), (1280, found[:4])):
        view.set_viewport_size({"width": width, "height": 800})
        for page in shown:
            view.goto(page.as_uri())
            seen = view.evaluate(SEEN)
            assert not seen["broken"], f"{page.name}: {seen['broken']}"
            assert seen["width"] <= width and not seen["outside"], f"{page.name}: {seen['outside']}"
            assert not seen["small"], f"{page.name}: {seen['small'][:3]}"
    view.close()
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
