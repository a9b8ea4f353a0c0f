"""Do the networks that ``benchmarks speed`` times learn alike? The same steps, the same noise.

    python -m benchmarks learning --data XBD [--steps 300] [--out FOLDER]

diffusers' ``UNet2DModel`` and ours, of equal parameters and operations, predict the noise of DDPM
(Ho et al. 2020, eq. 14) in crops of 64 pixels of the real pictures of ``train``; every step gives
all of them the same crops, times and noise. Printed is the loss on fixed crops, times and noise of
``val``. A network that is fast because it learns nothing would be seen here.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from afterscene import computing
from afterscene.diffusion import guidance
from afterscene.diffusion.schedules import DDPM
from afterscene.geodata.scene import read_scene
from afterscene.geodata.xbd import XbdTree
from benchmarks.speed import CONFIG, descend, learner

#: Ours as it is timed, and with one block more at half the resolution, each narrower.
OURS = {
    "afterscene": CONFIG,
    "afterscene, deeper": replace(CONFIG, widths=(208, 240), depths=(2, 1), embedding=128),
}
SIZE, BATCH, VALIDATION = 64, 8, 128


def pictures(data: Path, split: str, each: int) -> np.ndarray:
    """``(n, 1024, 1024, 3)`` uint8: pre and post of every so-many-th pair."""
    pairs = XbdTree(data).pairs(split)[::each]
    files = [path for pair in pairs for path in (pair.pre, pair.post) if path is not None]
    return np.stack([read_scene(path).rgb() for path in files])


def crops(some: np.ndarray, count: int, seed: int) -> Tensor:
    """``(count, 3, 64, 64)`` in [-1, 1], a function of the seed."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(some), count)
    rows, cols = rng.integers(0, some.shape[1] - SIZE, (2, count))
    cut = [some[n, r : r + SIZE, c : c + SIZE] for n, r, c in zip(which, rows, cols, strict=True)]
    return torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2) / 127.5 - 1


def noised(x0: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """``(x_t, t, eps)`` of these crops, a function of the seed."""
    dice = torch.Generator().manual_seed(seed)
    t = torch.rand(len(x0), generator=dice)
    eps = torch.randn(x0.shape, generator=dice)
    return guidance.noised(x0, DDPM().at(t.double()), eps).float(), t, eps


def learn(
    name: str, some: np.ndarray, held: np.ndarray, steps: int, every: int
) -> dict[str, float]:
    """Validation loss by step."""
    torch.manual_seed(0)
    network, answer = learner(name, SIZE, OURS.get(name, CONFIG))

    def error(x_t: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        with computing.autocast("auto"):
            return F.mse_loss(answer(x_t, t).float(), eps)

    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-4, fused=True)
    checks = noised(crops(held, VALIDATION, 1), 1)
    found: dict[str, float] = {}
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = 3e-4 * min(step / 50, 1)
        descend(network, optimiser, error(*noised(crops(some, BATCH, 1000 + step), 1000 + step)))
        if step % every == 0:
            with torch.inference_mode():
                parts = zip(*(part.split(BATCH) for part in checks), strict=True)
                errors = [error(*part) for part in parts]
            found[str(step)] = round(float(torch.stack(errors).mean()), 4)
            print(name, step, found[str(step)], flush=True)
    return found


def main(argv: Sequence[str]) -> None:
    """Train each for the same steps; writes ``learning.json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks learning", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="xBD tree with splits.json")
    parser.add_argument("--out", type=Path, default=Path("out/benchmarks"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=50, help="steps between two validations")
    options = parser.parse_args(argv)
    some, held = pictures(options.data, "train", 3), pictures(options.data, "val", 1)
    table = {
        name: learn(name, some, held, options.steps, options.every)
        for name in ("diffusers tuned", *OURS)
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "learning.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
