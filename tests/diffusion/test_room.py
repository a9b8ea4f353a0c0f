"""The room stays small: under 1,500 lines in all, blank ones too, no file over 300."""

from pathlib import Path


def test_size(repository: Path):
    files = sorted((repository / "src" / "afterscene" / "diffusion").glob("*.py"))
    counts = {f.name: len(f.read_text(encoding="utf-8").splitlines()) for f in files}
    assert len(files) > 10 and sum(counts.values()) < 1500, counts
    assert max(counts.values()) < 300, counts


def test_no_item_in_a_step(repository: Path):
    """A step reads nothing back: only the ODE's choice of a step and the NaN check may wait."""
    room = repository / "src" / "afterscene" / "diffusion"
    waits = [f.name for f in room.glob("*.py") if ".item()" in f.read_text(encoding="utf-8")]
    assert waits == ["ode.py"]
