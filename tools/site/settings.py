"""The pages `reference/hazards.md` and `reference/recipes.md`, from the program (mkdocs hook)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from inspect import getdoc
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

HAZARDS_HEAD = """# Hazards

Every hazard with its fields (for `--set NAME=VALUE`), its fragility curve and the laws that its
events are drawn from, as the source says them. *Drawn* means that the seed decides where nothing
is given. How a hazard decides: [Hazards explained](../explanation/hazards.md).
"""

RECIPES_HEAD = """# Recipes and samplers

What `afterscene train RECIPE` trains, with every setting (for `--set KEY=VALUE`) and its default.
Detectors are trained more conveniently by [`detect fit`](commands.md#detect-fit).
"""

SAMPLERS_HEAD = """
## Samplers

*Order* is the order of the error, which the tests measure; *calls* is network evaluations a step.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    recipes = [RECIPES_HEAD, *map(_recipe, asked("recipes", "list")), SAMPLERS_HEAD, _samplers()]
    pages = {
        "reference/hazards.md": [HAZARDS_HEAD, *map(_hazard, asked("hazards", "list"))],
        "reference/recipes.md": recipes,
    }
    for name, parts in pages.items():
        files.append(File.generated(config, name, content="".join(parts)))
    return files


def asked(*command: str) -> list[dict[str, Any]]:
    """What the command prints as JSON."""
    from typer.testing import CliRunner

    from afterscene.cli import app

    return json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)


def _hazard(entry: dict[str, Any]) -> str:
    from afterscene.hazards import HAZARDS

    kind = HAZARDS.find(entry["name"])
    fields = (
        (f"`{f['name']}`", f["unit"], "drawn" if f["default"] is None else f["default"], f["doc"])
        for f in entry["parameters"]
    )
    law = kind.fragility
    levels = ("minor", "major", "destroyed")
    curve = (
        (level, f"{median:g} {kind.unit}", f"{beta:g}")
        for level, median, beta in zip(levels, law.medians, law.betas, strict=True)
    )
    parts = [
        f"\n## {entry['name']}\n\n{getdoc(kind)}\n\n",
        _table(("field", "unit", "default", "meaning"), fields),
        f"\n**Fragility** ({law.source}):\n\n",
        _table(("level", "median", "beta"), curve),
        f"\n**Events** (`--events`), at most {kind.reach_km:g} km across. {_law(kind)}\n",
        f"\n**Where it is no surprise**: {kind.prior.source}.\n",
    ]
    return "".join(parts)


def _law(kind: Any) -> str:
    return " ".join(str(getdoc(kind.law)).split("\n", 1)[-1].split())


def _recipe(entry: dict[str, Any]) -> str:
    rows = ((f"`{key}`", f"`{_written(value)}`") for key, value in entry["settings"].items())
    return f"\n## {entry['name']}\n\n{entry['summary']}\n\n{_table(('setting', 'default'), rows)}"


def _written(value: Any) -> str:
    """As ``--set`` takes it."""
    if isinstance(value, list):
        return ",".join(f"[{_written(v)}]" if isinstance(v, list) else _written(v) for v in value)
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _samplers() -> str:
    def rows() -> Iterator[tuple[object, ...]]:
        for s in asked("samplers", "list"):
            given = ", ".join(f"`{k}={v}`" for k, v in s["parameters"].items())
            noise = "yes" if s["stochastic"] else "no"
            yield f"`{s['name']}`", s["order"], noise, s["evaluations"], given, s["source"]

    return "\n" + _table(("name", "order", "noise", "calls", "parameters", "source"), rows())


def _table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|")
