"""The summary that ``synthesize`` and ``gbd build`` end with."""

from typing import Any

from afterscene.cli.output import Output


def show(output: Output, report: Any, roles: list[dict[str, str]] | None = None) -> None:
    """What was made on stdout, what was skipped and why on stderr; ``roles`` of files in JSON."""
    value = report.as_json() | ({} if roles is None else {"roles": roles})
    levels = ", ".join(f"{n} {word}" for word, n in value["levels"].items())
    already = f" ({report.already} were there already)" if report.already else ""
    text = f"{report.pairs} pairs in {report.out}{already}; buildings: {levels or 'none'}"
    output.left_out(report.left_out)
    for name, reason in report.skipped:
        output.say(f"skipped {name}: {reason}")
    if report.skipped:
        text += f"; {len(report.skipped)} skipped"
    output.result({**value, "pairs": list(report.rows)} if output.json else {}, text)
