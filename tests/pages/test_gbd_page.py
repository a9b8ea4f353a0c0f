"""The page about a set has its counts, terms, words and pictures, and loads nothing."""

import json
import re
import sys

import pytest

import toys
from afterscene import gbd
from afterscene.gbd.dataset import Dataset
from afterscene.gbd.stats import stats
from afterscene.pages.gbd_page import write_stats


@pytest.fixture(autouse=True)
def without_matplotlib(monkeypatch):
    """Charts are an extra; the page of a set has none."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.fixture
def sources(tmp_path):
    return gbd.find_sources(toys.toy_tree(tmp_path / "xbd"))


def write(folder, out):
    out.mkdir()
    dataset = Dataset(folder)
    html, numbers = write_stats(dataset, stats(dataset), out)
    assert json.loads(numbers.read_text()) == stats(dataset).as_json()
    return dataset, html.read_text(encoding="utf-8")


def test_the_page_of_a_build(sources, tmp_path):
    plan = gbd.draw_plan(
        sources, gbd.PlanConfig(hazards=("wildfire",), count=3, seed=7, severity=(0.9, 1.0))
    )
    gbd.build(plan, tmp_path / "set", toys.ToyGenerator(), rendering=gbd.Rendering())
    dataset, text = write(tmp_path / "set", tmp_path / "page")
    assert "3 pairs, 3 of them with a synthetic post picture" in text
    assert "LicenseRef-unknown" in text and "toy-town" in text
    destroyed = stats(dataset).total.levels["destroyed"]
    assert destroyed > 0 and re.search(rf"<td[^>]*>{destroyed}</td>", text)
    assert max(next(iter(dataset)).captions, key=len) in text
    assert text.count("data:image/jpeg") == 9, "pre, damage map and post of three pairs"
    assert not re.search(r'(?:src|href)="(?!data:)', text)


def test_the_page_of_synthesize_has_no_pictures(sources, tmp_path):
    out = tmp_path / "set"
    toys.synthesize(sources, "wind", out)
    _, text = write(out, tmp_path / "page")
    assert "wind" in text and "data:image/jpeg" not in text
