"""The page in a browser: each path once, by mouse and by keys, without a word to the network.

Skipped where there is no Chromium. Screenshots stay in ``AFTERSCENE_SCREENSHOTS`` if that is set.
"""

import os
import shutil
import time
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra studio is not installed")
pytest.importorskip("uvicorn", reason="the extra studio is not installed")

from PIL import Image

import toys
from afterscene import samples
from studioserver import AssessingWorker, running

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
HTML = "<img src=x onerror=document.title='hacked'>"


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser there: {', '.join(BROWSERS)} (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with running(tmp_path_factory.mktemp("studio") / "folder", AssessingWorker) as found:
        yield found


@pytest.fixture
def page(browser, studio, request):
    """A page that was just opened; at its end nothing went elsewhere and nothing failed."""
    client, _ = studio
    traits = getattr(request, "param", {})
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **traits})
    page, asked, wrong = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else 0)
    page.goto(f"http://127.0.0.1:{client.port}/?token={client.key}")
    page.wait_for_selector("path[data-level]", state="attached")
    page.wrong = wrong
    yield page
    here = (f"http://127.0.0.1:{client.port}/", "data:", "blob:")
    assert [url for url in asked if not url.startswith(here)] == []
    assert wrong == []
    context.close()


def until(said, seconds=20):
    """Wait until ``said()`` is true; the page's own policy forbids to evaluate text in it."""
    end = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < end
        time.sleep(0.05)


def shoot(page, name):
    folder = os.environ.get("AFTERSCENE_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_scene_hazard_aftermath(page):
    page.select_option("#hazard", "flood")
    until(lambda: page.inner_text("#field-said").endswith(" m"))
    page.click("#generate")
    page.wait_for_selector("#downloads a")
    assert page.locator("#swipe img").count() == 2
    page.locator("#swipe input").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    assert page.locator(".as-pair").get_attribute("style") == "--at: 48%;"
    page.click("text=Each building")
    assert page.locator("#table tbody tr").count() == page.locator("#shapes path").count()
    with page.expect_download() as taken:
        page.click("text=Pair (zip)")
    assert taken.value.suggested_filename == "afterscene-pair.zip"
    shoot(page, "aftermath")


@pytest.mark.slow
def test_a_refused_download_is_a_sentence_on_the_page(page):
    page.click("#generate")
    page.wait_for_selector("#downloads a")
    page.click("#downloads >> text=GeoPackage")
    page.wait_for_selector("#problem:not([hidden])")
    assert "coordinates" in page.inner_text("#problem")
    page.wrong[:] = [text for text in page.wrong if "422" not in text]


@pytest.mark.slow
def test_in_words(page):
    page.fill("#say", "the northern third is flooded")
    until(lambda: page.inner_text("#understood"))
    assert page.input_value("#hazard") == "flood"
    shoot(page, "words")
    page.fill("#say", "the moon is made of cheese")
    page.wait_for_selector("#problem:not([hidden])")
    page.wrong[:] = [text for text in page.wrong if "422" not in text]


@pytest.mark.slow
def test_a_reload_does_not_lose_a_running_job(page, studio):
    _, worker = studio
    worker.generator.gate.clear()
    page.click("#generate")
    page.wait_for_selector("#cancel:not([hidden])")
    page.reload()
    page.wait_for_selector("#cancel:not([hidden])")
    worker.generator.gate.set()
    page.wait_for_selector("#downloads a")


@pytest.mark.slow
def test_two_tabs_each_find_their_own_job_after_a_reload(page):
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("path[data-level]", state="attached")
    for tab, hazard in ((page, "flood"), (other, "wind")):
        tab.select_option("#hazard", hazard)
        tab.click("#generate")
        tab.wait_for_selector("#downloads a")
    page.reload()
    page.wait_for_selector("#downloads a")
    assert page.input_value("#hazard") == "flood"
    other.reload()
    other.wait_for_selector("#downloads a")
    assert other.input_value("#hazard") == "wind"


@pytest.mark.slow
def test_cancel_shows_no_picture_and_the_job_can_go_on(page, studio):
    _, worker = studio
    worker.generator.gate.clear()
    page.click("#generate")
    page.wait_for_selector("#cancel:not([hidden])")
    page.click("#cancel")
    worker.generator.gate.set()
    page.wait_for_selector("#resume:not([hidden])")
    assert not page.is_visible("#swipe")
    page.click("#resume")
    page.wait_for_selector("#downloads a")


@pytest.mark.slow
def test_html_in_names_stays_text(page, tmp_path):
    image = toys.write_pre(tmp_path, "town")
    label = tmp_path / "labels" / f"{image.stem}.json"
    text = label.read_text().replace('"b0"', '"' + HTML + '"')
    named = [
        {"name": f"{HTML[:9]}town.png", "mimeType": "image/png", "buffer": image.read_bytes()},
        {"name": f"{HTML[:9]}town.json", "mimeType": "text/json", "buffer": text.encode()},
    ]
    page.click("text=Your own image")
    page.set_input_files("#own-image", named[0])
    page.set_input_files("#own-footprints", named[1])
    page.click("#own-open")
    until(lambda: page.locator("#shapes path").count() == 4)
    page.click("#generate")
    page.wait_for_selector("#downloads a")
    page.click("text=Each building")
    assert page.locator("#table td").first.inner_text() == HTML
    assert page.title() == "AfterScene studio"
    assert page.locator("#table img, #shapes img").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("page", [{"locale": "zh-CN"}], indirect=True)
def test_in_chinese(page):
    assert page.get_attribute("html", "lang") == "zh"
    assert page.inner_text("#generate") == "生成灾后图像"
    page.fill("#say", "北部三分之一被淹")
    until(lambda: "理解为" in page.inner_text("#understood"))
    shoot(page, "chinese")
    page.click("#language")
    assert page.inner_text("#generate") == "Draw the aftermath"


@pytest.mark.slow
def test_tabs_by_keys(page):
    page.focus("#tab-draw")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-assess"
    assert page.get_attribute("#assess", "hidden") is None and not page.is_visible("#draw")


PHONE = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}


@pytest.mark.slow
@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_nothing_is_wider_than_a_phone(page):
    page.click("#generate")
    page.wait_for_selector("#downloads a")
    for tab in page.locator("[role=tab]").all():
        tab.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click("#tab-draw")
    shoot(page, "phone-dark")


@pytest.mark.slow
def test_assess(page, tmp_path):
    folder = samples.folder()
    stem = "farm_00000000_pre_disaster"
    page.click("#tab-assess")
    page.click("#assess-go")
    page.wait_for_selector("#problem:not([hidden])")
    post = toys.write_pre(tmp_path, "x").with_name("after.png")
    Image.open(folder / "images" / f"{stem}.jpg").transpose(Image.Transpose.ROTATE_180).save(post)
    page.set_input_files("#assess-pre", folder / "images" / f"{stem}.jpg")
    page.set_input_files("#assess-post", post)
    page.set_input_files("#assess-footprints", folder / "labels" / f"{stem}.json")
    page.click("#assess-go")
    page.wait_for_selector("#assess-files a", timeout=60_000)
    page.frame_locator("#assess-map").locator("svg").wait_for()
    shoot(page, "assess")


@pytest.mark.slow
def test_build_a_set_and_look_through_it(page):
    page.click("#tab-sets")
    page.click("text=Build a new set")
    page.fill("#build-name", HTML)
    page.fill("#build-count", "3")
    page.check("#build-hazards input[value=wind]")
    page.check("#build-hazards input[value=flood]")
    page.click("#build-go")
    page.click(f'[aria-label="Show: {HTML}"]', timeout=60_000)
    until(lambda: page.locator("#set-pairs figure").count() == 3)
    page.select_option("#set-hazard", "flood")
    until(lambda: page.locator("#set-pairs figure").count() in (1, 2))
    page.locator("#set-pairs button").first.click()
    assert page.locator("#set-large img").count() == 2
    page.click("#set-stats")
    page.frame_locator("#set-page").locator("table").first.wait_for()
    shoot(page, "sets")
    assert page.title() == "AfterScene studio"


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"locale": "zh-CN"}],
    indirect=True,
)
def test_axe_finds_nothing_serious(page):
    """The rules of axe-core (WCAG and best practice) on each tab, with all that unfolds open."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not there")
    page.click("#generate")
    page.wait_for_selector("#downloads a")
    for fold in page.locator("#draw summary").all():
        fold.click()
    for name in ("draw", "assess", "sets", "learn", "compare"):
        page.click(f"#tab-{name}")
        found = axe.Axe().run(page).response
        assert len(found["passes"]) > 10
        bad = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in bad] == []


def levels_of(page):
    return [path.get_attribute("data-level") for path in page.locator("#shapes path").all()]


@pytest.mark.slow
def test_levels_by_hand(page):
    """By mouse and by keys; the other buildings keep the levels that they had."""
    before = levels_of(page)
    k = before.index("no-damage")
    page.select_option("#brush", "destroyed")
    box = page.locator("#shapes path").nth(k).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(lambda: levels_of(page)[k] == "destroyed")
    assert levels_of(page) == [*before[:k], "destroyed", *before[k + 1 :]]
    last = len(before) - 1 - before[::-1].index("no-damage")
    page.select_option("#brush", "major-damage")
    page.locator("#shapes path").nth(last).focus()
    page.keyboard.press("Enter")
    until(lambda: levels_of(page)[last] == "major-damage")
    page.click("#generate")
    page.wait_for_selector("#downloads a")
    shoot(page, "painted")
    page.click("#unpaint")
    until(lambda: levels_of(page) == before)


@pytest.mark.slow
def test_learn_by_sliders(page):
    page.click("#tab-learn")
    page.wait_for_selector("#walk polyline", state="attached")
    before = page.get_attribute("#walk polyline >> nth=0", "points")
    page.focus("#walk-steps")
    page.keyboard.press("ArrowRight")
    until(lambda: page.get_attribute("#walk polyline >> nth=0", "points") != before)
    shoot(page, "learn")
