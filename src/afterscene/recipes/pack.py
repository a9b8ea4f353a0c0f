"""A pack: one file with everything that a generator's training needs (:mod:`.packing` writes it).

It is read where only torch, numpy, pillow and safetensors are installed.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from afterscene.errors import BadParameter, MissingFile
from afterscene.generators.appearance import match_style
from afterscene.generators.bridge import BridgeConfig
from afterscene.generators.distillation import DistilConfig
from afterscene.generators.examples import CropConfig, TrainingTile
from afterscene.generators.training import TrainConfig
from afterscene.recipes.record import Data
from afterscene.training.spots import Places

FORMAT, ABOUT = 1, "pack.json"
#: Damaged buildings that an event needs to be worth leaving out.
ENOUGH = 20


@dataclass(frozen=True)
class Pack:
    """A pack file. Raises MissingFile and BadParameter when it is first read."""

    path: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """The content of ``pack.json``."""
        if not self.path.is_file():
            raise MissingFile(f"{self.path} is not there; write it with `afterscene pack`")
        try:
            with zipfile.ZipFile(self.path) as archive:
                about = dict(json.loads(archive.read(ABOUT)))
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']}, not {FORMAT}")
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
            raise BadParameter(
                f"{self.path} is no pack of this version ({error}); write it anew with "
                "`afterscene pack`"
            ) from error
        return about

    @property
    def recipe(self) -> str:
        """The recipe that it was made for."""
        return str(self.about["recipe"])

    @property
    def config(self) -> TrainConfig:
        """The recipe's configuration, with the settings that were given to ``afterscene pack``."""
        return config_of(self.about["config"])

    @property
    def events(self) -> list[str]:
        """Events that are worth leaving out, those with most damaged buildings first.

        They have enough of these, and their hazard is learned from another event, too.
        """
        counts, known = Counter[str](), dict[str, set[str]]()
        for row in self.about["train"]:
            event = event_of(row["name"])
            counts[event] += sum(2 <= level <= 4 for level in row["building_levels"])
            known.setdefault(row["hazard"], set()).add(event)
        alone = {event for events in known.values() if len(events) == 1 for event in events}
        return [e for e, count in counts.most_common() if count >= ENOUGH and e not in alone]

    def data(self, without: Sequence[str] = ()) -> Data:
        """The tiles, less those of the events ``without``. Raises BadParameter."""
        rows = {split: self._rows(split, without) for split in ("train", "validation")}
        with zipfile.ZipFile(self.path) as archive:
            tiles = {k: [_tile(archive, row) for row in chosen] for k, chosen in rows.items()}
        contents = {k: {row["name"]: row["hash"] for row in chosen} for k, chosen in rows.items()}
        return Data(
            train=tiles["train"],
            validation=tiles["validation"],
            contents=contents,
            sources=[],
            held_out=frozenset(self.about["held_out"]),
            leaks=[],
        )

    def _rows(self, split: str, without: Sequence[str]) -> list[dict[str, Any]]:
        known = {event_of(row["name"]) for row in self.about["train"]}
        for event in without:
            if event not in known:
                names = ", ".join(sorted(known))
                raise BadParameter(f"--without {event}: {self.path} has tiles of {names} alone")
        return [row for row in self.about[split] if event_of(row["name"]) not in without]


def event_of(name: str) -> str:
    """The event of the tile with that name."""
    return name.rpartition("_")[0]


def config_of(values: Mapping[str, Any]) -> TrainConfig:
    """The inverse of ``dataclasses.asdict``, for values read from JSON."""
    rest = {k: v for k, v in values.items() if k not in ("model", "crops")}
    crops = {k: _tuples(v) for k, v in values["crops"].items()}
    kind = DistilConfig if "adversarial" in values else TrainConfig
    return kind(model=BridgeConfig.of(values["model"]), crops=CropConfig(**crops), **rest)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _tile(archive: zipfile.ZipFile, row: Mapping[str, Any]) -> TrainingTile:
    pre, registered, levels, covered = (
        _picture(archive, row["files"][k]) for k in ("pre", "post", "levels", "covered")
    )
    style, middle = (np.array(row[key], np.float32) for key in ("style", "middle"))
    places = Places(
        shape=pre.shape[:2],
        levels=np.array(row["building_levels"], np.uint8),
        centres=np.array(row["centres"], np.float32).reshape(-1, 2),
    )
    return TrainingTile(
        name=row["name"],
        hazard=row["hazard"],
        gsd=row["gsd"],
        places=places,
        style=style,
        middle=middle,
        tone=np.array(row["tone"], np.float32),
        pre=pre,
        covered=covered.astype(bool),
        registered=registered,
        matched=match_style(registered, middle, style),
        levels=levels,
    )


def _picture(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with Image.open(io.BytesIO(archive.read(name))) as image:
        return np.asarray(image)
