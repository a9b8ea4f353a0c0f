"""The league's report: table, the course's claims against it, pictures, a plot, a film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from afterscene.files import write_atomic, write_json
from afterscene.pages.plots import svg
from afterscene.pages.render import render
from afterscene.school.autoregression import dequantize
from afterscene.school.catalogue import FOLDER
from afterscene.school.league.run import CONTROLS, League
from afterscene.school.sheets import save_film, sheet
from afterscene.tensors import from_numbers


def write_league(league: League, out: Path) -> list[Path]:
    """``league.json``, ``league.md``, ``league.png``, ``steps.svg`` and ``league-film.png``."""
    names = [score.name for score in league.scores]
    kept = {name: dict(np.load(out / f"{name}.npz")) for name in names}
    titles = {score.name: score.title for score in league.scores}
    levels = league.config.levels
    rows = {titles[name]: kept[name]["pictures"] for name in names}
    best = min(league.scores, key=lambda score: score.frechet)
    rows[f"nearest to those of {best.title}"] = kept[best.name]["neighbours"]
    drawings = sheet(_rows(rows, levels))
    written = [
        write_json(out / "league.json", {**asdict(league), "story": story(league)}),
        write_atomic(out / "league.md", league_markdown(league).encode()),
        write_atomic(out / "league.png", lambda path: drawings.save(path, "PNG")),
        write_atomic(out / "steps.svg", plot(league).encode()),
    ]
    film = _film({titles[name]: kept[name]["frames"] for name in names}, levels)
    save = partial(save_film, film, pause=150, last=2500)
    return [*written, write_atomic(out / "league-film.png", save)]


def league_table(league: League) -> str:
    """The rows as Markdown; controls in italics, below them what real crops have (the floor)."""
    return _rendered("league_table.md", league).rstrip("\n")


def _rendered(template: str, league: League, **values: Any) -> str:
    return render(template, folder=FOLDER / "templates", league=league, controls=CONTROLS, **values)


def story(league: League) -> list[str]:
    """Each step of the course's story, and whether it holds in these figures."""
    of = {score.name: score.frechet for score in league.scores}
    twelve = [score for score in league.scores if score.name not in CONTROLS]
    worst, best = (pick(twelve, key=lambda score: score.frechet) for pick in (max, min))
    pixelwise = min(of[name] for name in ("next-pixel", "pixelcnn", "multi-scale", "spaced"))
    at_once = [of[name] for name in ("vae", "gan", "flow")]
    noisy = [of[name] for name in ("ddpm", "score-sde", "u-vit")]
    claims = [
        (
            "averaging is the worst of the twelve",
            worst.name == "averaging",
            f"{of['averaging']:.1f}; the worst is {worst.title}, {worst.frechet:.1f}",
        ),
        _beats("sampled pixels", "the best guess", of["next-pixel"], of["best-guess"]),
        _beats("spaced pixels", "blocks", of["spaced"], of["blocks"]),
        _beats("spaced pixels", "random pixels", of["spaced"], of["random"]),
        (
            "with a sixteenth of next pixel's evaluations, spaced pixels come within 25% of it",
            of["spaced"] <= 1.25 * of["next-pixel"],
            f"{of['spaced']:.1f} against {of['next-pixel']:.1f}",
        ),
        (
            "DDPM, score SDE and U-ViT each beat every method that draws pixels",
            max(noisy) < pixelwise,
            f"{min(noisy):.1f} to {max(noisy):.1f} against {pixelwise:.1f}",
        ),
        (
            "DDPM, score SDE and U-ViT each beat VAE, GAN and normalizing flow",
            max(noisy) < min(at_once),
            f"{min(noisy):.1f} to {max(noisy):.1f} against {min(at_once):.1f} "
            f"to {max(at_once):.1f}",
        ),
    ]
    lines = [f"{'Holds' if ok else 'Does not hold'}: {what} ({how})." for what, ok, how in claims]
    return [*lines, f"Best of the twelve: {best.title}, {best.frechet:.1f}."]


def _beats(one: str, two: str, low: float, high: float) -> tuple[str, bool, str]:
    return f"{one} beat {two}", low < high, f"{low:.1f} against {high:.1f}"


def league_markdown(league: League) -> str:
    """The page."""
    return _rendered("league.md", league, bits=np.log2(league.config.levels), story=story(league))


def plot(league: League) -> str:
    """Fréchet distance of spaced pixels against evaluations, as SVG; next pixel as a line.

    Raises:
        MissingExtra: without matplotlib.
    """
    counts, values = zip(*league.steps, strict=True)
    beside = league.of("next-pixel").frechet
    says = f"next pixel, {league.config.size**2} evaluations"

    def draw(axes: Any) -> None:
        axes.plot(counts, values, "o-", color="#0b57a4", gid="spaced")
        for count, value in league.steps:
            near = {"textcoords": "offset points", "horizontalalignment": "center"}
            axes.annotate(f"{value:.0f}", (count, value), (0, 7), **near)
        axes.axhline(beside, color="#b04a2f", linestyle="--")
        right = axes.get_yaxis_transform()
        axes.text(1, beside, says, transform=right, ha="right", va="bottom")
        axes.set(title="Fréchet distance of spaced pixels", xlabel="network evaluations a picture")
        axes.set_ylim(0, 1.1 * max(*values, beside))
        axes.set_xscale("log", base=2)
        axes.set_xticks(counts, [str(count) for count in counts])

    return svg(draw, width=460, height=280, paper="white")


def _rows(rows: Mapping[str, np.ndarray], levels: int) -> list[tuple[str, Tensor]]:
    return [(title, dequantize(from_numbers(x), levels)) for title, x in rows.items()]


def _film(rows: Mapping[str, np.ndarray], levels: int) -> list[Image.Image]:
    """All methods drawing under each other; one that is done waits for the others."""
    length = max(len(frames) for frames in rows.values())
    moments = [
        {title: x[round(k * (len(x) - 1) / (length - 1))] for title, x in rows.items()}
        for k in range(length)
    ]
    return [sheet(_rows(moment, levels)) for moment in moments]
