"""``afterscene compare RECIPE`` as one function: run what is missing, then write what is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afterscene.files import write_atomic, write_json
from afterscene.gbd.pair import Renderer
from afterscene.geodata.pair import read_pair
from afterscene.geodata.xbd import XbdTree
from afterscene.lab.protocol_report import (
    disagreements,
    markdown,
    report,
    summary,
    verdict,
)
from afterscene.lab.protocol_run import Runner, Told
from afterscene.lab.protocols import Protocol
from afterscene.pages.report import write_report

RESULTS, PAGE, FIGURES = "results.json", "report.html", "figures.md"


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one call may do: `limit` trainings at most; `told` hears of each optimiser step;
    `skip` leaves out training pairs that would leak.
    """

    limit: int | None = None
    overwrite: bool = False
    told: Told = lambda *_: None
    skip: bool = False


def run_protocol(
    protocol: Protocol,
    xbd: Path,
    generators: Mapping[str, Path],
    out: Path,
    *,
    load_generator: Callable[[Path], Renderer],
    work: Work = Work(),
) -> tuple[str, dict[str, Any]]:
    """Go on with the protocol in ``out``; writes results.json, report.html and figures.md.

    Returns the verdicts and the figures. Raises LeakFound before anything is trained.
    """
    tree = XbdTree(xbd)
    runner = Runner(
        protocol=protocol,
        tree=tree,
        generators=generators,
        out=out,
        load_generator=load_generator,
        limit=work.limit,
        told=work.told,
        skip=work.skip,
    )
    finished, whole = runner.run(overwrite=work.overwrite)
    values = [summary(protocol, done) for done in finished]
    pairs = {pair.id: pair for pair in tree.pairs()}
    rows = disagreements(protocol, finished, lambda name: read_pair(pairs[name]))
    result = {
        "protocol": protocol.protocol,
        "whole": whole,
        "trained": runner.trained,
        "settings": values,
    }
    write_json(out / RESULTS, result)
    write_atomic(out / FIGURES, markdown(protocol, values).encode())
    write_report(report(protocol, values, rows, whole=whole), out / PAGE)
    said = [verdict(v) for v in values] or ["No seed is whole yet."]
    if not whole:
        said.append("Stopped at the limit; the same command goes on.")
    return "\n".join(said), {"report": str(out / PAGE), **result}
