"""Error against network evaluations for every sampler, and what our loop costs beside diffusers'.

    python -m benchmarks samplers [--out FOLDER]

First part: data are a mixture of two Gaussians a pixel, whose denoiser is exact, so that the only
error is the sampler's. Deterministic samplers are compared with the exact end of the
probability-flow ODE (the order-5 method at a tolerance of 1e-10), stochastic ones with the
distribution: the Wasserstein-1 distance of their end points to fresh data. The row "fresh data" is
what two fresh sets have: no sampler can be seen to be better. Writes ``samplers.csv`` and
``samplers.svg``.

Second part: a network that costs nothing (it returns its input), the same DDIM chain, ours and
diffusers' ``DDIMPipeline``; the median processor time a step of several runs in turn. Writes
``overhead.csv``.
"""

import argparse
import csv
import statistics
import time
from pathlib import Path

import torch

from afterscene.diffusion import grids
from afterscene.diffusion.analytic import Mixture
from afterscene.diffusion.denoisers import Predictor, index_clock
from afterscene.diffusion.loop import sample, trajectory
from afterscene.diffusion.noise import generated
from afterscene.diffusion.samplers import Ddim, Ode, make_sampler, samplers
from afterscene.diffusion.schedules import DDPM, VP
from afterscene.pages.plots import svg

STEPS = (4, 6, 9, 14, 20, 30, 45, 70, 100, 150, 220)
RANGE = dict(rho_max=60.0, rho_min=0.02, to_zero=False)
DATA = Mixture(
    means=torch.tensor([[-0.6], [0.7]], dtype=torch.float64),
    variances=torch.tensor([[0.04], [0.02]], dtype=torch.float64),
    weights=torch.tensor([0.4, 0.6], dtype=torch.float64),
)


class Counted:
    """A denoiser that counts its calls."""

    def __init__(self, denoiser):
        self.denoiser, self.calls = denoiser, 0

    def __call__(self, x, t, condition=None):
        """One call."""
        self.calls += 1
        return self.denoiser(x, t, condition)

    def reverse(self, x, t, s, condition=None):
        """One call that also gives a variance."""
        self.calls += 1
        return self.denoiser.reverse(x, t, s, condition)


def errors(count: int) -> list[dict]:
    """A row for each sampler and step count: evaluations and error."""
    schedule = VP()
    ends = grids.karras(schedule, 1, **RANGE)
    top, bottom = schedule.levels(ends)
    start = top.sigma * torch.randn(count, 1, generator=torch.Generator().manual_seed(0)).double()
    exact = sample(DATA, schedule, start, ends, Ode(tolerance=1e-10))
    fresh = [_drawn(bottom, count, seed) for seed in (1, 2)]
    floor = dict(sampler="fresh data", judge="distribution", error=_distance(*fresh))
    rows = [dict(floor, steps=steps, evaluations=steps) for steps in STEPS]
    for name in samplers():
        for steps in STEPS:
            method, counted = make_sampler(name).fixed(), Counted(DATA)
            noise = generated(torch.Generator().manual_seed(3))
            times = grids.karras(schedule, steps, **RANGE)
            end = sample(counted, schedule, start, times, method, noise=noise)
            if method.stochastic:
                error = _distance(end, fresh[0])
            else:
                error = (end - exact).square().mean().sqrt().item()
            judge = "distribution" if method.stochastic else "path"
            rows.append(
                dict(sampler=name, judge=judge, steps=steps, evaluations=counted.calls, error=error)
            )
    return rows


def _drawn(level, count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, 1, generator=generator).double()
    return level.alpha * DATA.sample(count, generator) + level.sigma * noise


def _distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Wasserstein-1 of two samples of equal size on the line: sorted, their mean distance."""
    return (one.flatten().sort().values - other.flatten().sort().values).abs().mean().item()


def overhead(steps: int, runs: int, size: int) -> list[dict]:
    """Median microseconds a step of the loop around a network that returns its input."""
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel
    from diffusers.models.unets.unet_2d import UNet2DOutput

    class Free(UNet2DModel):
        """A U-Net in name: its forward pass returns its input."""

        def forward(self, sample, timestep, class_labels=None, return_dict=True):
            return UNet2DOutput(sample=sample) if return_dict else (sample,)

    blocks = dict(down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",))
    network = Free(size, block_out_channels=(8,), layers_per_block=1, norm_num_groups=8, **blocks)
    pipeline = DDIMPipeline(network, DDIMScheduler(clip_sample=False))
    pipeline.set_progress_bar_config(disable=True)
    model = Predictor(lambda x, clock, condition: x, clock=index_clock(1000))
    schedule = DDPM()

    def ours():
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(1, 3, size, size, generator=generator)
        for _ in trajectory(model, schedule, x, grids.leading(steps), Ddim()):
            pass

    def theirs():
        generator = torch.Generator().manual_seed(0)
        pipeline(generator=generator, num_inference_steps=steps, output_type="np")

    times: dict[str, list[float]] = {"afterscene": [], "diffusers": []}
    with torch.no_grad():
        for run in range(runs + 1):
            for name, work in (("afterscene", ours), ("diffusers", theirs)):
                start = time.process_time()
                work()
                if run:  # the first warms up
                    times[name].append((time.process_time() - start) / steps * 1e6)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return [
        dict(
            loop=name,
            size=size,
            steps=steps,
            runs=runs,
            median_us_per_step=round(median, 1),
            least_us_per_step=round(min(times[name]), 1),
            share_of_diffusers=round(median / medians["diffusers"], 3),
        )
        for name, median in medians.items()
    ]


def picture(rows: list[dict], path: Path) -> None:
    """Log error against log evaluations, a line a sampler; dashes judge the distribution."""

    def draw(axes):
        for index, name in enumerate(dict.fromkeys(row["sampler"] for row in rows)):
            mine = [row for row in rows if row["sampler"] == name and row["error"] > 1e-13]
            dashed = any(row["judge"] == "distribution" for row in mine)
            xs, ys = ([row[key] for row in mine] for key in ("evaluations", "error"))
            line = "o--" if dashed else "o-"
            axes.loglog(xs, ys, line, markersize=4, color=f"C{index % 10}", label=name)
        axes.set(xlabel="network evaluations", ylabel="error (dashed: of the distribution)")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(alpha=0.3)
        axes.figure.legend(loc="outside right upper")

    path.write_text(svg(draw, width=640, height=380, paper="white"))


def write(rows: list[dict], path: Path) -> None:
    """Rows as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(arguments: list[str] | None = None) -> None:
    """Both parts; prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/benchmarks"))
    parser.add_argument("--count", type=int, default=20_000, help="samples of the first part")
    parser.add_argument("--runs", type=int, default=15, help="runs of the second part")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = errors(options.count)
    write(rows, options.out / "samplers.csv")
    picture(rows, options.out / "samplers.svg")
    print(f"{'sampler':16}{'judge':14}" + "".join(f"{steps:>10}" for steps in STEPS))
    for name in dict.fromkeys(row["sampler"] for row in rows):
        mine = [row for row in rows if row["sampler"] == name]
        cells = "".join(f"{row['error']:10.1e}" for row in mine)
        calls = f"  {mine[0]['evaluations']}..{mine[-1]['evaluations']} evaluations"
        print(f"{name:16}{mine[0]['judge']:14}{cells}{calls}")
    cost = [row for size in (16, 64) for row in overhead(50, options.runs, size)]
    write(cost, options.out / "overhead.csv")
    for row in cost:
        print(
            f"{row['loop']:12}{row['size']:>4} pixels {row['median_us_per_step']:>8} us a step, "
            f"{row['share_of_diffusers']} of diffusers"
        )


if __name__ == "__main__":
    main()
