"""The model folder with which the run of a generator ends: weights, and what rendering needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from afterscene.generators.checkpoint import save_weights
from afterscene.generators.examples import TrainingTile
from afterscene.generators.render import RenderConfig
from afterscene.generators.training import TrainConfig
from afterscene.recipes.record import tiles_of
from afterscene.training.memory import averaged


def styles_of(tiles: Sequence[TrainingTile]) -> dict[str, list[list[float]]]:
    """For each hazard the styles of its real post images, as written to ``config.json``."""
    return _by_hazard(tiles, lambda tile: tile.style)


def scenes_of(tiles: Sequence[TrainingTile]) -> dict[str, list[list[float]]]:
    """The tones of the pre images of :func:`styles_of`, in the same order."""
    return _by_hazard(tiles, lambda tile: tile.tone)


def _by_hazard(
    tiles: Sequence[TrainingTile], measure: Callable[[TrainingTile], np.ndarray]
) -> dict[str, list[list[float]]]:
    """What is measured of each tile, in their order, by hazard."""
    rows: dict[str, list[list[float]]] = {}
    for tile in tiles:
        if tile.hazard:
            rows.setdefault(tile.hazard, []).append(rounded(measure(tile)))
    return rows


def rounded(values: Iterable[float]) -> list[float]:
    """As written to ``config.json``: four digits."""
    return [round(float(v), 4) for v in values]


def learned_of(tiles: Sequence[TrainingTile], enough: int = 20) -> tuple[str, ...]:
    """Hazards with at least ``enough`` damaged examples: their damage is not painted first."""
    seen = Counter(tile.hazard for tile in tiles for level in tile.places.levels if 2 <= level <= 4)
    return tuple(name for name, count in seen.items() if name and count >= enough)


def covered_of(tiles: Sequence[TrainingTile], enough: float = 1e6) -> tuple[str, ...]:
    """Hazards with at least ``enough`` pixels of water, ash or silt: the network redraws them."""
    seen: Counter[str] = Counter()
    for tile in tiles:
        seen[tile.hazard] += int(tile.covered.sum())
    return tuple(name for name, count in seen.items() if name and count >= enough)


def finish_bridge(
    run: Path, folder: Path, config: TrainConfig, tiles: Sequence[TrainingTile]
) -> None:
    """Write the averaged weights of the newest state of ``run`` as a model folder (float16)."""
    render = config.render(learned=learned_of(tiles), covered=covered_of(tiles))
    seen = {"styles": styles_of(tiles), "scenes": scenes_of(tiles)}
    write_model(run, folder, config, kind="bridge", render=render, **seen)


def write_model(
    run: Path,
    folder: Path,
    config: TrainConfig,
    *,
    kind: str,
    render: RenderConfig,
    styles: Mapping[str, list[list[float]]],
    scenes: Mapping[str, list[list[float]]] | None = None,
) -> None:
    """Write averaged weights of the newest state of ``run`` (float16), and what rendering needs."""
    step, average, _ = averaged(run)
    about = {
        "kind": kind,
        "schema": 1,
        "step": step,
        "model": asdict(config.model),
        "render": asdict(render),
        "styles": dict(styles),
        "scenes": dict(scenes or {}),
        "tiles": tiles_of(run),
        "licence": "CC-BY-NC-SA-4.0",
    }
    save_weights(folder, config.trained(average), about, dtype=torch.float16)
