"""Figures in documents come from the published results, and only from there."""

import re

import pytest
from tools.tables import write
from tools.tables.rows import rows

from afterscene.lab.published import PublishedRow, Value, published_names
from afterscene.metrics.xview2 import FIGURES

DOCUMENTS = {path.relative_to(write.ROOT).as_posix(): path for path in write.documents()}
#: Where figures of earlier versions are kept by hand.
HISTORY = "docs/results/history.md"
RESULTS = [
    name
    for name in DOCUMENTS
    if name != HISTORY and name.startswith(("README", "docs/results/", "docs/explanation/", "src/"))
]
#: A result as these documents write one: two decimals or more, no version, no arXiv number.
DECIMAL = re.compile(r"(?<![\w.])(?<!Python )[+-]?\d{1,3}\.\d{2,}(?![\d.]*\.\d|\w)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.S | re.M)


def prose(text: str) -> str:
    """A document without its blocks and without code."""
    return CODE.sub("", write.BLOCK.sub("", text))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_tables_of_a_document_are_those_of_the_published_results(name):
    text = DOCUMENTS[name].read_text(encoding="utf-8")
    assert write.written(text) == text, f"{name} is stale: run make tables"
    assert text.count("<!-- table: ") == len(write.BLOCK.findall(text)), "a block has no end"


@pytest.mark.parametrize("name", RESULTS)
def test_no_result_stands_in_prose(name):
    found = DECIMAL.findall(prose(DOCUMENTS[name].read_text(encoding="utf-8")))
    assert not found, f"{name}: put {found} into a published result (docs/howto/extend.md)"


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith("src/")])
def test_a_model_card_has_two_pages_at_most(name):
    text = re.sub(r"<!--.*?-->", "", DOCUMENTS[name].read_text(encoding="utf-8"))
    words = [word for word in text.split() if re.search(r"[A-Za-z0-9]", word)]
    assert len(words) <= 700, f"{name} has {len(words)} words; history goes to {HISTORY}"


def test_every_template_is_used_and_every_result_is_shown():
    used = {m[1] for path in DOCUMENTS.values() for m in write.BLOCK.findall(path.read_text())}
    templates = {path.stem: path.read_text() for path in write.HERE.glob("*.md")}
    assert set(templates) == used
    shown = set(re.findall(r"published\(\"([\w-]+)\"\)", "".join(templates.values())))
    shown |= set(re.findall(r'arm\("([\w-]+)"', "".join(templates.values())))
    assert shown == set(published_names())


def test_a_changed_figure_makes_a_block_stale():
    fresh = "<!-- table: unseen-wind -->\n" + write.block("unseen-wind").strip() + "\n<!-- end -->"
    assert write.written(fresh) == fresh
    assert write.written(fresh.replace("0.440", "0.441")) == fresh


def test_a_result_in_prose_is_found():
    text = "It has 0.44 (+0.161), see `lr=0.001`, Python 3.11, torch 2.13.0 and arXiv 1911.09296."
    assert DECIMAL.findall(prose(text)) == ["0.44", "+0.161"]


def test_a_printed_score_becomes_rows_of_a_published_result():
    printed = {
        **dict.fromkeys(FIGURES, 0.25),
        "intervals": {"score": [0.2, 0.3]},
        "objects": {"found": 3, "invented": 1, "f1": {"no-damage": 0.5}},
        "calibration": {"ece": 0.1},
        "all_undamaged_score": 0.2,
    }
    detector, undamaged = (PublishedRow.from_json(row) for row in rows(printed))
    assert detector.values["score"] == Value(value=0.25, low=0.2, high=0.3)
    assert detector.values["object_f1_no_damage"].value == 0.5
    assert undamaged.values["score"].value == 0.2
