"""The page `reference/words.md`: the grammar of `--say`, from its own files (mkdocs hook)."""

from importlib.resources import files
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGE = "reference/words.md"
HEAD = """# Grammar of sentences

What `afterscene synthesize --say` reads, generated from the grammar itself. Lower-case names are
rules (EBNF as [Lark](https://lark-parser.readthedocs.io/en/stable/grammar.html) writes it: `[x]`
may be missing, `x*` is repeated); names in capitals are classes of phrases, listed below each
grammar. Phrases of the class *passed over* say nothing. How to use it:
[Say what happens](../howto/say.md).
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page."""
    files.append(File.generated(config, PAGE, content=content()))
    return files


def content() -> str:
    """The page in Markdown."""
    return HEAD + _section("English", "en", "english") + _section("Chinese", "zh", "chinese")


def _section(title: str, language: str, name: str) -> str:
    from afterscene.conditioning.words.vocabulary import phrases

    text = (files("afterscene.conditioning.words") / f"{name}.lark").read_text("utf-8")
    classes: dict[str, dict[Any, list[str]]] = {}
    for phrase, entry in phrases(language).items():
        by_meaning = classes.setdefault(entry.terminal, {})
        by_meaning.setdefault(_meaning(entry.meaning), []).append(f"`{phrase}`")
    rows = [
        f"| {terminal or '*passed over*'} | {meaning} | {' '.join(words)} |\n"
        for terminal, meanings in sorted(classes.items())
        for meaning, words in meanings.items()
    ]
    table = "| class | meaning | phrases |\n|---|---|---|\n" + "".join(rows).replace("`|`", "`\\|`")
    return f"\n## {title}\n\n```text\n{text}```\n\n{table}"


def _meaning(meaning: Any) -> str:
    from afterscene.conditioning.words.records import Effect
    from afterscene.conditioning.words.telling import tell_effect

    if isinstance(meaning, Effect):
        return tell_effect(meaning)
    if isinstance(meaning, tuple):
        return ", ".join(_meaning(part) for part in meaning)
    if isinstance(meaning, float):
        return f"{meaning:.4g}"
    return "" if meaning is None else str(meaning)
