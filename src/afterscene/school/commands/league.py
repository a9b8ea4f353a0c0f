"""``afterscene course league``: twelve ways to draw, compared at equal training seconds."""

from pathlib import Path
from typing import Annotated

import typer

from afterscene.cli.options import Out
from afterscene.cli.output import Json, Output, Quiet, Seed

Images = Annotated[
    Path,
    typer.Option("--data", help="Folder of pictures, one sub-folder for each kind of land use."),
]
Fields = Annotated[
    list[str] | None,
    typer.Option("--set", help="A size of the league, as seconds=180 or width=48; repeatable."),
]


def league(
    images: Images,
    out: Out = Path("out/league"),
    seed: Seed = 0,
    fields: Fields = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train twelve methods for equal seconds: table, pictures, plot. Resumes if it was stopped."""
    from dataclasses import asdict

    from afterscene.lab.features import LiteFeatures
    from afterscene.pages.plots import require_matplotlib
    from afterscene.recipes.overrides import override
    from afterscene.school.league import CONTESTANTS, LeagueConfig, run_league, write_league
    from afterscene.school.league.report import league_table, story

    require_matplotlib()
    config = override(LeagueConfig(seed=seed), fields or [])
    output = Output(json=as_json, quiet=quiet)
    with output.progress("league", len(CONTESTANTS)) as advance:
        result = run_league(images, out, LiteFeatures(), config, on_done=lambda _: advance(1))
    write_league(result, out)
    lines = [league_table(result), "", *story(result), f"page: {out / 'league.md'}"]
    output.result({**asdict(result), "story": story(result)}, "\n".join(lines))
