"""The summary that ``synthesize`` and ``gbd build`` end with."""

import warnings
from typing import Any

from afterscene.cli.output import Output
from afterscene.errors import AftersceneWarning


def show(output: Output, report: Any, roles: list[dict[str, str]] | None = None) -> None:
    """Print what was made, with the ``roles`` of files in JSON, and what was skipped and why."""
    value = report.as_json() | ({} if roles is None else {"roles": roles})
    levels = ", ".join(f"{n} {word}" for word, n in value["levels"].items())
    already = f" ({report.already} of an earlier run)" if report.already else ""
    pairs = "pair" if report.pairs == 1 else "pairs"
    text = f"{report.pairs} {pairs} in {report.out}{already}; buildings: {levels or 'none'}"
    output.left_out(report.left_out)
    if report.pairs and not any(value["levels"].values()):
        sentence = f"no image in {report.out} has a building, so nothing is damaged"
        warnings.warn(f"{sentence}; check the footprints", AftersceneWarning, stacklevel=2)
    for name, reason in report.skipped:
        output.say(f"skipped {name}: {reason}")
    if report.skipped:
        text += f"; {len(report.skipped)} skipped"
    output.result({**value, "pairs": list(report.rows)} if output.json else {}, text)
