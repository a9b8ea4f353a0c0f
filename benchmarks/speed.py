"""Sampling and training beside diffusers' ``UNet2DModel`` and ``DDIMPipeline``, in one run.

    python -m benchmarks speed [--threads N] [--out FOLDER]

Both networks have the same parameters and floating-point operations within 3% (printed, counted by
``torch.utils.flop_counter`` with direct convolutions); ours spends its operations at half and a
quarter of the resolution, in lean blocks. Three ways run in turn, and the medians of processor
seconds (one thread) or seconds (several) are compared:

* diffusers as it comes: float32, its own memory layout, its own loops;
* diffusers tuned: the precision that is fastest here, channels last (but for training in float32,
  where that is slower), the fused optimiser;
* ours: as ``afterscene.computing`` prepares it for sampling and training, the fused optimiser.

The share of the ceiling is operations done (Winograd's are fewer) over the best of three sizes of
matrix product in the same precision. Memory is the high-water mark of a process of its own.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from afterscene import computing
from afterscene.diffusion import grids
from afterscene.diffusion.denoisers import Predictor, index_clock
from afterscene.diffusion.loop import sample
from afterscene.diffusion.samplers import Ddim
from afterscene.diffusion.schedules import DDPM
from afterscene.generators.training import checkpoint_stages
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.training.winograd import trainable, with_winograd

PARTS = ("sampling", "training", "memory", "checkpointing", "compile")
CHECKPOINTED = "afterscene, checkpointed"
WAYS = ("diffusers", "diffusers tuned", "afterscene")
SAMPLING = ((64, 1), (64, 8), (128, 1), (128, 8))
TRAINING = ((64, 1), (64, 8), (128, 1), (128, 2))
CONFIG = UNetConfig(
    channels_in=3, channels_out=3, widths=(288, 240), depths=(1, 1), embedding=64, lean=True
)


def peer(size: int) -> nn.Module:
    """diffusers' U-Net of about 6 M parameters; without attention, which is slow on processors."""
    from diffusers import UNet2DModel

    return UNet2DModel(
        size,
        block_out_channels=(64, 96, 192),
        layers_per_block=1,
        add_attention=False,
        down_block_types=("DownBlock2D",) * 3,
        up_block_types=("UpBlock2D",) * 3,
    )


def fastest() -> UNet:
    """Our network for sampling: weights cast once, or Winograd's convolutions in float32."""
    network = computing.prepared(UNet(CONFIG))
    plain = computing.dtype("auto") == torch.float32
    return with_winograd(network, fixed=True) if plain else network


def sampler(way: str, size: int, batch: int, steps: int) -> Callable[[], object]:
    """A function that draws ``batch`` pictures in ``steps`` network evaluations."""
    torch.manual_seed(0)
    if way == "afterscene":
        kind = computing.dtype("auto")
        network = fastest()
        clock = index_clock(1000)
        model = Predictor(lambda x, t, _: network(x, t / 1000), clock=clock)
        start = torch.randn(batch, 3, size, size).to(kind)
        times = grids.leading(steps)

        @torch.inference_mode()
        def draw() -> object:
            return sample(model, DDPM(), start, times, Ddim()).float().numpy()

        return draw
    from diffusers import DDIMPipeline, DDIMScheduler

    network = peer(size).eval()
    if way == "diffusers tuned":
        network = network.to(computing.dtype("auto")).to(memory_format=torch.channels_last)
    pipeline = DDIMPipeline(network, DDIMScheduler())
    pipeline.set_progress_bar_config(disable=True)
    if network.dtype == torch.bfloat16:  # the pipeline cannot hand out pictures in it
        return by_hand(network, pipeline.scheduler, (batch, 3, size, size), steps)
    return lambda: pipeline(batch_size=batch, num_inference_steps=steps, output_type="np")


def by_hand(
    network: nn.Module, scheduler: Any, shape: tuple[int, ...], steps: int
) -> Callable[[], object]:
    """The pipeline's loop, with pictures cast to float32 at the end."""

    @torch.inference_mode()
    def draw() -> object:
        scheduler.set_timesteps(steps)
        x = torch.randn(shape).to(network.dtype)
        for moment in scheduler.timesteps:
            x = scheduler.step(network(x, moment).sample, moment, x).prev_sample
        return (x / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).float().numpy()

    return draw


def learner(
    way: str, size: int, config: UNetConfig = CONFIG
) -> tuple[nn.Module, Callable[[Tensor, Tensor], Tensor]]:
    """A network laid out for training, and its answer to noisy pictures at times in [0, 1]."""
    if way in WAYS[:2]:
        theirs = peer(size)
        if way == "diffusers tuned" and computing.dtype("auto") == torch.bfloat16:
            theirs = theirs.to(memory_format=torch.channels_last)  # in float32 it trains slower
        return theirs, lambda x, t: theirs(x, t * 1000).sample
    ours = trainable(UNet(config))
    if way == CHECKPOINTED:
        checkpoint_stages(SimpleNamespace(network=ours))
    return ours, ours


def trainer(way: str, size: int, batch: int) -> Callable[[], object]:
    """A function that takes one optimiser step on noise prediction."""
    torch.manual_seed(0)
    plain = way == "diffusers"
    network, answer = learner(way, size)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=None if plain else True)
    x, eps = torch.randn(2, batch, 3, size, size)
    clock = torch.rand(batch)

    def step() -> None:
        with computing.autocast("fp32" if plain else "auto"):
            loss = F.mse_loss(answer(x, clock).float(), eps)
        descend(network, optimiser, loss)

    return step


def descend(network: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One optimiser step, gradients cut at norm 1."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()


def clock() -> float:
    """Processor seconds on one thread, else seconds."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def in_turn(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each work over ``rounds``, run one after the other, once to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            start = clock()
            work()
            if turn:
                seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def operations(work: Callable[[], object]) -> float:
    """10^9 floating-point operations of products and convolutions in ``work``."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        work()
    return counter.get_total_flops() / 1e9


def ceiling(rounds: int) -> float:
    """10^9 operations a second of the fastest of three matrix products in the chosen precision."""
    best = 0.0
    for side in (512, 1024, 2048):
        a, b = torch.randn(2, side, side).to(computing.dtype("auto"))
        seconds = in_turn({"product": lambda a=a, b=b: a @ b}, rounds)["product"]
        best = max(best, 2 * side**3 / seconds / 1e9)
    return best


def networks() -> list[dict]:
    """Parameters and operations of one evaluation of one 64 x 64 picture."""
    x = torch.zeros(1, 3, 64, 64)
    ours, theirs = UNet(CONFIG), peer(64)
    rows = []
    for name, network, clock in (("diffusers", theirs, 1), ("afterscene", ours, torch.zeros(1))):
        count = sum(p.numel() for p in network.parameters()) / 1e6
        gflop = operations(lambda n=network, c=clock: n(x, c))
        rows.append(dict(network=name, parameters_m=round(count, 3), gflop=round(gflop, 3)))
    return rows


def sampling(steps: int, rounds: int, top: float) -> Iterator[dict]:
    """Pictures times evaluations a second of each way, and ours over theirs."""
    for size, batch in SAMPLING:
        works = {way: sampler(way, size, batch, steps) for way in WAYS}
        seconds = in_turn(works, rounds)
        row = dict(task="sampling", size=size, batch=batch)
        row |= {way: round(batch * steps / seconds[way], 2) for way in WAYS}
        row |= ratios(seconds)
        for way in ("diffusers tuned", "afterscene"):
            share = operations(works[way]) / seconds[way] / top
            row[f"{way}, share of ceiling"] = round(share, 3)
        yield row


def training(rounds: int) -> Iterator[dict]:
    """Training pictures a second of each way, and ours over theirs."""
    for size, batch in TRAINING:
        seconds = in_turn({way: trainer(way, size, batch) for way in WAYS}, rounds)
        row = dict(task="training", size=size, batch=batch)
        row |= {way: round(batch / seconds[way], 3) for way in WAYS}
        yield row | ratios(seconds)


def ratios(seconds: dict[str, float]) -> dict[str, float]:
    """How many times as fast ours is."""
    ours = seconds["afterscene"]
    return {f"over {way}": round(seconds[way] / ours, 3) for way in WAYS[:2]}


def memory() -> Iterator[dict]:
    """High-water marks in MB, each above that of a process that only loads the libraries."""
    for task, size, batch in (("sampling", 128, 8), ("training", 64, 8)):
        row: dict = dict(task=f"memory of {task}", size=size, batch=batch)
        yield row | {way: grown(way, task, size, batch) for way in WAYS}


def checkpointing(rounds: int, size: int = 64, batch: int = 8) -> Iterator[dict]:
    """What computing activations again costs in seconds a step, and saves in MB."""
    ways = (WAYS[2], CHECKPOINTED)
    seconds = in_turn({way: trainer(way, size, batch) for way in ways}, rounds)
    row: dict = dict(task="seconds a training step", size=size, batch=batch)
    yield row | {way: round(seconds[way], 3) for way in ways}
    row = dict(task="memory of training", size=size, batch=batch)
    yield row | {way: grown(way, "training", size, batch) for way in ways}


def compiling(rounds: int, size: int = 64, batch: int = 8) -> Iterator[dict]:
    """What ``torch.compile`` takes and gives, for one network evaluation of ours."""
    torch.manual_seed(0)
    network = fastest()
    x = torch.randn(batch, 3, size, size).to(computing.dtype("auto"))
    t = torch.full((batch,), 0.5)
    compiled = torch.compile(network)
    with torch.inference_mode():
        started = time.perf_counter()
        compiled(x, t)
        first = time.perf_counter() - started
        works = {"plain": lambda: network(x, t), "compiled": lambda: compiled(x, t)}
        seconds = in_turn(works, rounds)
    row: dict = dict(task="one evaluation, seconds", size=size, batch=batch)
    row |= {name: round(value, 4) for name, value in seconds.items()}
    yield row | dict(first_call=round(first, 1))


def grown(way: str, task: str, size: int, batch: int) -> int:
    """:func:`high_water` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.speed", "--high-water"]
    command += [way, task, str(size), str(batch)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


def high_water(way: str, task: str, size: str, batch: str) -> int:
    """MB that this process grows by while it does the task twice."""
    import diffusers  # noqa: F401

    sampler(way if way in WAYS else WAYS[2], 64, 1, 1)
    before = peak()
    kinds = (int(size), int(batch))
    work = sampler(way, *kinds, 1) if task == "sampling" else trainer(way, *kinds)
    for _ in range(2):
        work()
    return (peak() - before) // 1024


def peak() -> int:
    """High-water mark of this process in kB; ``ru_maxrss`` would inherit that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0])


def main(arguments: list[str] | None = None) -> None:
    """All parts; prints a line for each, writes ``speed.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/benchmarks"))
    parser.add_argument("--threads", type=int, help="default: torch's")
    parser.add_argument("--steps", type=int, default=2, help="network evaluations a picture")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", action="append", choices=PARTS, help="default: all")
    parser.add_argument("--high-water", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.high_water:
        print(high_water(*options.high_water))
        return
    top = ceiling(options.rounds)
    about = dict(threads=torch.get_num_threads(), precision=str(computing.dtype("auto")))
    rows = [about | dict(ceiling_gflops=round(top, 1)), *networks()]
    for row in rows:
        print(row, flush=True)
    parts = {
        "sampling": lambda: sampling(options.steps, options.rounds, top),
        "training": lambda: training(options.rounds),
        "memory": memory,
        "checkpointing": lambda: checkpointing(options.rounds),
        "compile": lambda: compiling(options.rounds),
    }
    for name in options.part or PARTS:
        for row in parts[name]():
            print(row, flush=True)
            rows.append(row)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "speed.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
