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
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene import computing
from afterscene.diffusion.schedules import DDPM
from afterscene.geodata.scene import read_scene
from afterscene.geodata.xbd import XbdTree
from afterscene.networks.unet import UNet
from benchmarks.speed import CONFIG, peer

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
    level = DDPM().at(t.double())
    alpha, sigma = (w[:, None, None, None].float() for w in (level.alpha, level.sigma))
    return alpha * x0 + sigma * eps, t, eps


def guess(name: str, network: nn.Module, x_t: Tensor, t: Tensor) -> Tensor:
    """The noise that the network sees in ``x_t``."""
    with computing.autocast("auto"):
        return (network(x_t, t) if name in OURS else network(x_t, t * 1000).sample).float()


def learn(
    name: str, some: np.ndarray, held: np.ndarray, steps: int, every: int
) -> dict[str, float]:
    """Validation loss by step."""
    torch.manual_seed(0)
    network = UNet(OURS[name]) if name in OURS else peer(SIZE)
    network = computing.trainable(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-4, fused=True)
    checks = noised(crops(held, VALIDATION, 1), 1)
    found: dict[str, float] = {}
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = 3e-4 * min(step / 50, 1)
        x_t, t, eps = noised(crops(some, BATCH, 1000 + step), 1000 + step)
        loss = F.mse_loss(guess(name, network, x_t, t), eps)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if step % every == 0:
            with torch.inference_mode():
                parts = zip(*(part.split(BATCH) for part in checks), strict=True)
                errors = [F.mse_loss(guess(name, network, x, u), e) for x, u, e in parts]
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
        name: learn(name, some, held, options.steps, options.every) for name in ("diffusers", *OURS)
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "learning.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
