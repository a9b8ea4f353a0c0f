"""The documents show commands and options that exist, every command, and Python that runs."""

import re
import shutil
from pathlib import Path

import pytest

import toys
from commandlist import COMMANDS, WHOLE

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
#: Written by people; what `make docs` generates is made of the program itself.
PAGES = [README, *sorted(p for p in DOCS.rglob("*.md") if p.parent != DOCS / "course")]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
LONGEST_README = 600


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, *languages: str) -> list[str]:
    found = FENCE.findall(path.read_text("utf-8"))
    return [text for language, text in found if language in languages]


def shown(path: Path) -> list[str]:
    """Each call of `afterscene` in a shell block, as one line."""
    text = "\n".join(blocks(path, "", "bash", "sh")).replace("\\\n", " ")
    calls = re.findall(r"(?:^|-m )afterscene (.*)$", text, re.M)
    return [call.split("#")[0].strip() for call in calls]


def command_of(call: str) -> str:
    words = call.split()
    found = (n for k in (2, 1) if (n := " ".join(words[:k])) in COMMANDS)
    return next(found, "")


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_shows_only_commands_and_options_that_exist(path):
    for call in shown(path):
        command = WHOLE if call.startswith("-") else COMMANDS.get(command_of(call))
        assert command, f"there is no command {call!r}"
        known = {option for p in command.params for option in p.opts}
        used = {word.split("=")[0] for word in call.split() if word.startswith("-")}
        assert used <= known, f"{call}: {used - known}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_shown_on_a_page_that_people_wrote(name):
    assert any(command_of(call) == name for path in PAGES[1:] for call in shown(path))


def test_the_readme_can_be_read_in_three_minutes():
    words = len(README.read_text("utf-8").split())
    assert words <= LONGEST_README, f"{words} words; move something to docs/"


def test_the_links_of_the_readme_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)", README.read_text("utf-8"))
    missing = [link for link in links if "//" not in link and not (ROOT / link).is_file()]
    assert len(links) > 10
    assert missing == []


#: Their Python needs a server: tests/studio runs it.
CLIENTS = ("studio",)
PYTHON = [
    (path, k)
    for path in PAGES
    if path.stem not in CLIENTS
    for k in range(len(blocks(path, "python")))
]


@pytest.mark.parametrize(("path", "k"), PYTHON, ids=lambda v: getattr(v, "stem", v))
def test_the_python_of_a_page_runs(path, k, tmp_path, monkeypatch):
    """On files as the page names them, with pictures that a toy draws."""
    towns = toys.toy_tree(tmp_path / "xbd")
    shutil.copytree(towns, tmp_path / "samples")
    for kind, suffix in (("images", ".jpg"), ("labels", ".json")):
        for file in list((tmp_path / "samples" / kind).iterdir())[:1]:
            file.rename(file.parent / f"suburb_00000000_pre_disaster{suffix}")
    shutil.copy(next((towns / "images").iterdir()), tmp_path / "image.tif")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("afterscene.generators.load", lambda name: toys.ToyGenerator())
    exec(compile(blocks(path, "python")[k], str(path), "exec"), {})


def test_the_python_that_is_tested_is_there():
    assert any(path.parent == DOCS / "tutorials" for path, _ in PYTHON)


def test_the_reference_has_every_command_and_option():
    commands = pytest.importorskip("tools.site.commands", reason="needs the extra docs")
    text = commands.content()
    for name, command in COMMANDS.items():
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert section, name
        for option in (o for p in command.params for o in p.opts if o.startswith("--")):
            assert option in section or option == "--help", f"{name} {option}"


def test_the_reference_has_every_rule_and_phrase_of_the_grammar():
    from afterscene.conditioning.words.vocabulary import phrases

    text = pytest.importorskip("tools.site.grammar", reason="needs the extra docs").content()
    assert "start: clause (_sep clause)*" in text
    for language in ("en", "zh"):
        assert [p for p in phrases(language) if f"`{p}`" not in text and p != "|"] == []


def test_no_table_of_the_reference_has_an_empty_heading():
    commands = pytest.importorskip("tools.site.commands", reason="needs the extra docs")
    text = commands.content() + (ROOT / "tools" / "site" / "python.md").read_text("utf-8")
    heads = re.findall(r"^(\|.*)\n\|[-| ]+\|$", text, re.M)
    assert len(heads) > len(COMMANDS) / 2
    assert [head for head in heads if re.search(r"\|\s*\|", head)] == []


def test_the_reference_has_every_public_module():
    rooms = pytest.importorskip("tools.site.rooms", reason="needs the extra docs")
    pages = {name: rooms.page(name, path) for name, path in rooms.rooms().items()}
    source = ROOT / "src" / "afterscene"
    for path in source.rglob("*.py"):
        parts = path.relative_to(source).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts and not any(part.startswith("_") or part in rooms.HIDDEN for part in parts):
            assert f"::: afterscene.{'.'.join(parts)}\n" in pages[parts[0]], path
