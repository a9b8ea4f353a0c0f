"""The autoencoder for latent diffusion as a recipe: images of the split ``train``, 8x smaller.

The folder ``model/`` of a finished run holds the averaged weights, with the shift and scale that
give the latents unit variance.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from afterscene.generators.checkpoint import save_weights
from afterscene.generators.latent import AutoencoderRun, AutoencoderTask, calibrate
from afterscene.networks.autoencoder import Autoencoder
from afterscene.recipes.data import Data, tiles_of
from afterscene.recipes.generator import initial, load_data
from afterscene.training.loop import Trainer
from afterscene.training.memory import averaged
from afterscene.training.processes import Group
from afterscene.weightfiles import load_into

__all__ = ["finish", "initial", "load_data", "make_trainer"]


def default() -> AutoencoderRun:
    """The 8x autoencoder for latent diffusion: crops of 64 pixels, 4 latent channels."""
    return AutoencoderRun(steps=4_000, warmup=100)


def make_trainer(
    config: AutoencoderRun, data: Data, out: Path, *, device: str, group: Group
) -> Trainer:
    """A run on that data."""
    task = AutoencoderTask(config, data.train, validation=data.validation, device=device)
    return Trainer(task, config, out, group=group)


def finish(run: Path, folder: Path, config: AutoencoderRun, data: Data) -> None:
    """Write the calibrated averaged weights of the newest state of ``run`` as a model folder."""
    step, average, _ = averaged(run)
    model = Autoencoder(config.model).eval()
    load_into(model, average, str(run))
    calibrate(model, AutoencoderTask(config, data.train))
    about = {
        "kind": "autoencoder",
        "schema": 1,
        "step": step,
        "model": asdict(config.model),
        "tiles": tiles_of(run),
        "licence": "CC-BY-NC-SA-4.0",
    }
    save_weights(folder, model.state_dict(), about, dtype=torch.float16)
