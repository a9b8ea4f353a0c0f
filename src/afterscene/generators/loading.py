"""Loads a generator from a model folder, or by the name of a shipped model.

A model folder holds the averaged weights (safetensors), ``config.json`` (process, network, the
styles of the real post images, defaults of rendering) and ``README.md`` (the card). Shipped models
are in the package under ``weights/``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from afterscene import shipped
from afterscene.conditioning import STYLE_SIZE
from afterscene.errors import BadWeights
from afterscene.generators.bridge import BridgeConfig, BridgeModel
from afterscene.generators.checkpoint import load_weights
from afterscene.generators.generator import BridgeGenerator
from afterscene.generators.render import RenderConfig
from afterscene.weightfiles import load_into


def load(name: str | Path = "default", kind: str = "bridge") -> BridgeGenerator:
    """A shipped generator by name, or one from a folder.

    ``kind`` is ``bridge`` (post images) or ``layout`` (pre images, :mod:`.layouts`).

    Raises:
        UnknownName: neither a shipped name nor a folder with a model of that kind.
        BadWeights: a file is damaged or does not fit the network.
    """
    folder = shipped.find(name, kind)
    state, config = load_weights(folder)
    try:
        model = BridgeModel(BridgeConfig.of(config["model"]))
        styles, scenes = _rows(config["styles"]), _rows(config["scenes"])
        for name, rows in scenes.items():
            if rows.shape != styles[name].shape:
                raise ValueError(f"{len(rows)} scenes of {name} for {len(styles[name])} styles")
        render = RenderConfig(**config["render"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadWeights(
            f"{folder / 'config.json'} does not describe a generator ({error}); give another model"
        ) from error
    load_into(model, state, str(folder))
    return BridgeGenerator(
        model=model.eval(), styles=styles, scenes=scenes, config=render, folder=folder
    )


def _rows(values: dict[str, list[list[float]]]) -> dict[str, np.ndarray]:
    return {k: np.array(v, np.float32).reshape(-1, STYLE_SIZE) for k, v in values.items()}
