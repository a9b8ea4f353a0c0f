"""The glossary speaks of records that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_record_of_the_glossary_is_a_class_of_the_product():
    text = (ROOT / "docs" / "glossary.md").read_text()
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", text))
    defined = {
        name
        for path in (ROOT / "src" / "afterscene").rglob("*.py")
        for name in re.findall(r"^class (\w+)", path.read_text(), re.M)
    }
    assert len(named) > 10
    assert named <= defined


def test_a_word_is_explained_once():
    text = (ROOT / "docs" / "glossary.md").read_text()
    words = [w for found in re.findall(r"\*\*(.+?)\*\*", text) for w in found.split(", ")]
    assert len(words) == len(set(words)) > 40
