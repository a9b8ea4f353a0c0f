"""What the documents and docstrings name is there: modules, records, members, files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "afterscene"
FOLDERS = {"benchmarks", "docs", "src", "tests", "tools"}
ROLE = re.compile(r":(?:mod|func|class|meth|attr|data|obj):`~?([^`]+)`")
DOTTED = re.compile(r"(?<![\w./-])afterscene(?:\.\w+)+")
QUOTED = re.compile(r"`([\w./]+)(?:\(\))?`")
MEMBER = re.compile(r"[A-Z]\w+\.(?!md\b)[a-z_]\w*")


def names_of(tree: ast.AST) -> set[str]:
    """Names that are defined, assigned, or imported anywhere in a module or class."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def dotted_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


PARSED = {path: ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
MODULES = {dotted_name(path): names_of(tree) for path, tree in PARSED.items()}
EVERY = set().union(*MODULES.values())
CLASSES = [n for t in PARSED.values() for n in ast.walk(t) if isinstance(n, ast.ClassDef)]
GROUPS = {
    f"afterscene.{role}s"
    for path in PARSED
    for role in re.findall(
        r"""(?:Registry\(\s*"|group="afterscene\.)(\w+?)s?\"""", path.read_text()
    )
}
"""Groups of entry points; they look like names of modules."""


def is_there(name: str) -> bool:
    """Whether a dotted name from `afterscene` on is a module, or a name in one."""
    if name in MODULES or name in GROUPS:
        return True
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:cut])
        if module in MODULES:
            return parts[cut] in MODULES[module] and set(parts[cut:]) <= EVERY
    return False


def is_member(name: str) -> bool:
    """Whether "Name.member" belongs to a class of that name, or to what it inherits."""
    owner, member = name.split(".")
    classes = {c.name: c for c in CLASSES}
    if owner not in classes:
        return False
    bases = [b.id for b in classes[owner].bases if isinstance(b, ast.Name) and b.id in classes]
    return member in names_of(classes[owner]) or any(is_member(f"{b}.{member}") for b in bases)


def is_file(name: str, near: Path) -> bool:
    places = (ROOT, SOURCE, near, ROOT / "tests", ROOT / "docs")
    found = any((p / name).exists() or (p / f"{name}.py").exists() for p in places)
    return found or ("/" not in name and any(ROOT.glob(f"*/**/{name}")))


def unknown(text: str, near: Path, own: frozenset[str] = frozenset()) -> list[str]:
    """What `text`, which stands in the folder `near` beside the names `own`, names in vain."""
    rooms = {m.split(".")[1] for m in MODULES if "." in m}
    here = dotted_name(near / "__init__.py") if near.is_relative_to(SOURCE) else ""
    wrong = [m for m in DOTTED.findall(ROLE.sub("", text)) if not is_there(m)]
    for name in ROLE.findall(text):
        whole = f"{here}{name}" if name.startswith(".") else name
        known = is_there(whole) or name in EVERY | own
        known |= name.split(".")[0] in own - {"afterscene"}  # of another package
        wrong += [] if known or (MEMBER.fullmatch(name) and is_member(name)) else [name]
    for name in QUOTED.findall(ROLE.sub("", text)):
        first, _, rest = name.partition("/")
        if MEMBER.fullmatch(name):
            wrong += [] if is_member(name) else [name]
        elif name.endswith(".py") or (rest and first in rooms | FOLDERS):
            wrong += [] if is_file(name, near) else [name]
    return wrong


def docstrings(path: Path) -> Iterator[str]:
    """Strings that stand alone, and comments."""
    text = path.read_text("utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)
    yield from re.findall(r"#.*", text)


CODE = [p for d in ("src", "tests", "benchmarks", "tools") for p in (ROOT / d).rglob("*.py")]
"""Every module; `CHANGES.md` and `docs/results/history.md` speak of what was."""
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *SOURCE.rglob("*.md")]
MADE = ROOT / "docs" / "course"  # pages of lessons, no part of the repository
PAGES += [
    p for p in (ROOT / "docs").rglob("*.md") if p.name != "history.md" and MADE not in p.parents
]


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_what_a_document_names_is_there(path):
    assert unknown(path.read_text("utf-8"), path.parent) == []


def test_what_docstrings_name_is_there():
    found = set()
    for path in CODE:
        own = frozenset(names_of(ast.parse(path.read_text("utf-8"))))
        wrong = (name for text in docstrings(path) for name in unknown(text, path.parent, own))
        found |= {f"{path.relative_to(ROOT)}: {name}" for name in wrong}
    assert sorted(found) == []


@pytest.mark.parametrize(
    "text",
    [
        "see afterscene.gone",
        "see `afterscene.geodata.scene.gone`",
        ":func:`~afterscene.generators.generator.gone`",
        ":mod:`.gone`",
        "`geodata/gone.py`",
        "`tests/test_gone.py`",
        "`Scene.gone`",
    ],
)
def test_a_name_that_is_not_there_is_found(text):
    assert len(unknown(text, SOURCE / "generators")) == 1


def test_a_name_that_is_there_is_not_found():
    text = "`Scene.rgb` afterscene.geodata.scene.Scene :mod:`.render` `geodata/scene.py`"
    assert unknown(text, SOURCE / "generators") == []
