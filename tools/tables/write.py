"""Tables of the documents from the published results: `make tables`.

    python tools/tables/write.py [--check]

What stands in README, docs and model cards between `<!-- table: NAME -->` and `<!-- end -->` is the
template `NAME.md` of this folder, filled from `afterscene.lab.published` and from the shipped
weights. `--check` writes nothing and exits with 1 where a block is stale.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from math import prod
from pathlib import Path

from safetensors import safe_open

from afterscene import shipped
from afterscene.cli.models import describe
from afterscene.lab.protocol_report import TEMPLATES as LAB
from afterscene.lab.published import PublishedResult, PublishedRow, Value, published
from afterscene.pages.render import render
from afterscene.pages.report import Table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.S)
LEVELS = [
    ("localisation", "localization_f1"),
    ("no damage", "damage_f1_no_damage"),
    ("minor", "damage_f1_minor_damage"),
    ("major", "damage_f1_major_damage"),
    ("destroyed", "damage_f1_destroyed"),
]
#: Not learned: what batch norms have counted.
COUNTED = ("running_mean", "running_var", "num_batches_tracked")


def documents() -> list[Path]:
    """All Markdown that may hold a block."""
    cards = ROOT.glob("src/afterscene/weights/*/README.md")
    return [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(cards)]


def table(
    rows: PublishedResult | Sequence[PublishedRow], columns: Sequence[Sequence[str]], bold: str = ""
) -> str:
    """A Markdown table. A column is its heading, what stands in it, and how that is written.

    What: `name`; `label:KEY`; `seed:N`, the score of that training; or a figure, with its interval.
    How: a format of numbers, `.3f` where none is given. The row `bold` is set in bold.
    """
    own = rows.rows if isinstance(rows, PublishedResult) else rows
    lines = [tuple(cell(row, *column[1:]) for column in columns) for row in own]
    marked = [
        tuple(f"**{text}**" if text else "" for text in line) if row.name == bold else line
        for row, line in zip(own, lines, strict=True)
    ]
    made = Table(caption="", columns=tuple(column[0] for column in columns), rows=tuple(marked))
    return render("table.md", folder=LAB, made=made).strip()


def by_seed(record: PublishedResult) -> str:
    """The score of each training, a column each."""
    own = [row for row in record.rows if row.values["score"].per_seed]
    seeds = [(f"seed {n}", f"seed:{n}") for n in range(record.seeds or 0)]
    return table(own, [("score", "name"), *seeds])


def cell(row: PublishedRow, what: str, form: str = ".3f") -> str:
    """One cell; empty where the row has no such figure."""
    kind, _, key = what.partition(":")
    if kind == "name":
        return row.name
    if kind == "label":
        return row.labels.get(key, "")
    if kind == "seed":
        return f"{row.values['score'].per_seed[int(key)]:{form}}"
    return row.values[what].told(form) if what in row.values else ""


def measured(record: PublishedResult, caveats: int | None = None) -> str:
    """The paragraph below a table: on what, when, by which commit, and what stands against it.

    That several versions were scored on the same tiles is one of the caveats, of which the first
    `caveats` are told, or all.
    """
    split = f"the split `{record.split}`" if record.split.isalpha() else record.split
    told = [f"{record.tiles} tiles of {split}"] if record.tiles else []
    told += [f"{record.buildings:,} buildings"] if record.buildings else []
    told += (
        [f"{record.seeds} seeds" if record.seeds > 1 else "one training"] if record.seeds else []
    )
    told += ["no other version of it was scored on them"] if record.opened == 1 else []
    told += [record.machine] if record.machine else []
    when = f"Measured {record.date} ({record.commit})"
    return " ".join((f"{when}{': ' if told else ''}{'; '.join(told)}.", *record.caveats[:caveats]))


def verdict(gain: Value) -> str:
    """What an interval says about a difference."""
    assert gain.low is not None and gain.high is not None
    if gain.low <= 0 <= gain.high:
        return "not shown"
    return "better" if gain.low > 0 else "worse"


def commands(record: PublishedResult) -> str:
    """What repeats it, as a block of code."""
    return "\n".join(("```", *record.commands, "```"))


def parameters(folder: Path) -> int:
    """Learned numbers in the weights of a model."""
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(str(path), "numpy") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                if not name.endswith(COUNTED):
                    total += prod(file.get_slice(name).get_shape())
    return total


def models() -> list[dict[str, object]]:
    """What `afterscene models list` says of each shipped model, and its number of parameters."""
    found = shipped.models().items()
    return [{**describe(name, path), "parameters": parameters(path)} for name, path in found]


def block(name: str) -> str:
    """What stands in the block of that name."""
    return render(
        f"{name}.md",
        folder=HERE,
        published=published,
        table=table,
        by_seed=by_seed,
        measured=measured,
        commands=commands,
        models=models,
        verdict=verdict,
        LEVELS=LEVELS,
    )


def written(text: str) -> str:
    """A document with all its blocks as they should be."""
    return BLOCK.sub(lambda m: f"{m[1]}{block(m[2]).strip()}\n{m[4]}", text)


def stale() -> Iterator[tuple[Path, str]]:
    """Documents with a stale block, and what should stand in them."""
    for path in documents():
        text = path.read_text(encoding="utf-8")
        if (fresh := written(text)) != text:
            yield path, fresh


def main(arguments: Sequence[str]) -> int:
    """Write all blocks, or check them."""
    check, say = "--check" in arguments, partial(print, file=sys.stderr)
    found = list(stale())
    for path, fresh in found:
        say(f"{path.relative_to(ROOT)}: {'stale; run make tables' if check else 'written'}")
        if not check:
            path.write_text(fresh, encoding="utf-8")
    return int(check and bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
