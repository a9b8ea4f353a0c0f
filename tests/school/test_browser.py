"""Every page in headless Chromium, as wide as a desk and as a phone; skipped without a browser.

The pages carry the real texts and code of all lessons in both languages; the figures are stand-ins
of the sizes that lessons draw, so that no lesson has to run. The same check serves a built site:

    python -m pytest tests/school/test_browser.py  (AFTERSCENE_SITE=folder for that folder too)
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from afterscene.school import site
from afterscene.school.catalogue import Lesson, lessons, pages
from afterscene.school.player import Event, Played
from pagecheck import check_pages

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZES = {"figure": (416, 700), "animation": (1088, 64)}  # the widest that lessons make
SEEN = """() => ({
    broken: [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src),
    pictures: document.images.length,
    width: document.documentElement.scrollWidth,
    outside: [...document.querySelectorAll('body *')]
        .filter(e => !e.parentElement.closest('.wide, pre, .code'))
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.tagName + ' ' + e.textContent.slice(0, 40)),
    small: [...document.querySelectorAll('p, li, td, pre, code')]
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


def pretend(lesson: Lesson, figures: Path) -> Played:
    """As if ``lesson`` had run: a stand-in for each figure and animation that its script makes."""
    events = []
    for cell in lesson.cells():
        if cell.kind == "text":
            continue
        events.append(Event(line=cell.first, kind="note", content="a measured number " * 8))
        for kind, size in SIZES.items():
            for number in range(cell.source.count(f"lesson.{kind}(")):
                name = f"{lesson.name}-{cell.first}-{kind}-{number}.png"
                grey = np.random.default_rng(0).integers(256, size=size[::-1], dtype=np.uint8)
                Image.fromarray(grey).save(figures / name)
                events.append(Event(line=cell.first, kind=kind, content=name))
    return Played(lesson=lesson, events=tuple(events), seconds=1, small=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All lessons in both languages and the pages beside them."""
    out = tmp_path_factory.mktemp("site")
    figures = out / site.FIGURES
    figures.mkdir()
    site.build_site([pretend(lesson, figures) for lesson in lessons()], out)
    return out


def test_all_pages_together_have_no_broken_link(folder):
    assert len(list(folder.glob("*.html"))) == 2 * (len(lessons()) + 1) + len(pages())
    assert check_pages(folder) >= 4 * len(lessons())


def test_a_browser_shows_every_page_without_scrolling_sideways(browser, folder):
    look(browser, folder)
    built = os.environ.get("AFTERSCENE_SITE")
    if built:
        check_pages(Path(built))
        look(browser, Path(built).resolve())


def look(browser, folder: Path) -> None:
    """Open every page; pictures decoded, nothing wider than the window, no letter too small."""
    view = browser.new_page()
    for page in sorted(folder.glob("*.html")):
        view.goto(page.as_uri())
        for width in (1280, 375):
            view.set_viewport_size({"width": width, "height": 800})
            seen = view.evaluate(SEEN)
            assert not seen["broken"], f"{page.name}: {seen['broken']}"
            assert seen["width"] <= width and not seen["outside"], f"{page.name}: {seen['outside']}"
            assert not seen["small"], f"{page.name}: {seen['small'][:3]}"
            assert seen["pictures"] == page.read_text("utf-8").count("<img"), page.name
    view.close()
