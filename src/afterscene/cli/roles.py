"""What files were taken for, pre or post image or label, and why: a few lines, and all in JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from afterscene.cli.output import Output

if TYPE_CHECKING:
    from afterscene.geodata.leftout import LeftOut
    from afterscene.geodata.roles import Taken

LINES = 8
"""Reasons that are printed; the others are in ``--json``."""


def say_roles(output: Output, roles: Mapping[str, Taken], left_out: LeftOut) -> None:
    """A line for each role and reason; what was taken for an after image is left out."""
    counts = Counter((taken.role, taken.why) for taken in roles.values())
    for (role, why), count in counts.most_common(LINES):
        output.say(f"{count} x taken for a {role} image: {why}")
    if len(counts) > LINES:
        output.say(f"{len(counts) - LINES} more reasons; --json lists all files")
    left_out.add("image taken for a post image", sum(t.role == "post" for t in roles.values()))


def roles_json(
    roles: Mapping[str, Taken], labels: Mapping[Path, str], given: Sequence[Path] = ()
) -> list[dict[str, str]]:
    """A row for each file.

    ``labels`` leads to the image of each label; those that are not among the ``given`` files were
    found by its name.
    """
    rows = [{"file": name, "role": t.role, "why": t.why} for name, t in roles.items()]
    for path, image in labels.items():
        why = f"given for {image}" if path in given else f"it has the name of {image}"
        rows.append({"file": path.name, "role": "label", "why": why})
    return rows
