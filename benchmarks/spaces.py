"""Pixels, patches or latents: the same bridge, trained equally long, in one table.

    python -m benchmarks spaces --data XBD --out FOLDER --rows ROW ... [--seconds 90]
    python -m benchmarks spaces --data XBD --out FOLDER --table

Each row trains the generator's recipe with a network of about the same operations a scene in one
space, for the same processor seconds (trial steps, in turns, decide how many steps that is), then
draws windows of the split `val` around damaged buildings and times one scene of 1024 x 1024
pixels. Stopped and started again, it goes on. Latents need the autoencoder (`--autoencoder`,
the `model/` of `afterscene train autoencoder`), whose own seconds the table says.

*edit* draws inside the feathered mask around damaged buildings and is compared there with the real
post image, registered and brought to the look of the pre image, as in training; *redraw* draws the
whole window in the real post's look. Perceptual and Fréchet distance are those of
`afterscene.lab`, of crops of 96 pixels around damaged buildings; sharpness is the mean
squared gradient of the luminance over that of the real picture (1 is as sharp).
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from afterscene.computing import prepared
from afterscene.conditioning import class_of
from afterscene.files import write_json
from afterscene.generators.bridge import BridgeConfig, BridgeModel
from afterscene.generators.colour import to_rgb
from afterscene.generators.crops import CropConfig, TrainingTile, affected_mask
from afterscene.generators.render import RenderConfig, scene_condition, scene_states
from afterscene.generators.tiles import load_tiles
from afterscene.generators.training import TrainConfig, bridge_trainer
from afterscene.geodata.xbd import XbdTree
from afterscene.lab.features import LiteFeatures, pooled
from afterscene.metrics.distances import frechet_distance, perceptual_distance
from afterscene.metrics.similarity import luminance, psnr, squared_error
from afterscene.networks.autoencoder import AutoencoderConfig
from afterscene.tensors import to_pixels
from afterscene.training.memory import averaged
from afterscene.training.states import states
from afterscene.weightfiles import load_into

#: Spaces, each with a network of about 120,000 operations a pixel (latents: 78,000, because
#: coding and decoding a scene takes 264,000 once); all but patches of 8 and latents end at 1/8.
ROWS = {
    "pixels": BridgeConfig(patch=1, widths=(16, 32, 64, 96), depths=(1, 1, 2, 2), embedding=128),
    "patches of 2": BridgeConfig(patch=2, widths=(32, 64, 128), embedding=128),
    "patches of 4": BridgeConfig(patch=4, widths=(80, 160), depths=(1, 2), embedding=128),
    "patches of 8": BridgeConfig(patch=8, widths=(160, 256), depths=(1, 2), embedding=128),
    "latents": BridgeConfig(
        patch=1, widths=(160, 256), depths=(1, 2), embedding=128, coder=AutoencoderConfig()
    ),
}
SIDE, CROP, EVALUATIONS, RADIUS, FEATHER = 256, 96, 8, 8, 4.0
Draw = Callable[[TrainingTile, tuple[slice, slice], str], np.ndarray]


def recipe(row: str, autoencoder: str) -> TrainConfig:
    """The generator's recipe at this size of budget; the same for all rows but the network."""
    return TrainConfig(
        model=ROWS[row],
        crops=CropConfig(shapes=((64, 8), (128, 2))),
        autoencoder=autoencoder if ROWS[row].coder else "",
        lr=5e-4,
        warmup=50,
        save_every=25,
        validate_every=10**6,
        tensorboard=False,
    )


def damaged_centres(tile: TrainingTile) -> np.ndarray:
    """``(n, 2)`` row and column of the damaged buildings."""
    levels = tile.pair.levels
    return tile.pair.centres[(levels >= 2) & (levels <= 4)]


def residual_spread(config: TrainConfig, some: Sequence[TrainingTile]) -> float:
    """Standard deviation of post - pre in the space of the row, over 16 tiles."""
    model = bridge_trainer(config, some[:1], Path("unused")).model
    spread = []
    for tile in some[:: max(len(some) // 16, 1)]:
        pre, post = (
            scene_condition(p, tile.levels, hazard=-1, style=None, affected=None).pre
            for p in (tile.pre, tile.post)
        )
        spread.append(float((model.inward(post) - model.inward(pre)).square().mean()))
    return float(np.sqrt(np.mean(spread)))


def plan(arguments: argparse.Namespace, some: Sequence[TrainingTile]) -> dict[str, dict]:
    """For each row the steps that fit into the processor seconds, and the residual's spread.

    Trial steps of the rows take turns, so that a busy machine slows all of them alike.
    """
    path = arguments.out / "plan.json"
    if path.is_file():
        return json.loads(path.read_text())
    configs = {row: recipe(row, arguments.autoencoder) for row in ROWS}
    trials = {row: trial(config, some) for row, config in configs.items()}
    costs: dict[str, list[float]] = {row: [] for row in ROWS}
    for _ in range(8):
        for row, steps in trials.items():
            started = time.process_time()
            next(steps)
            costs[row].append(time.process_time() - started)
    made = {}
    for row, config in configs.items():
        each = (np.median(costs[row][2::2]) + np.median(costs[row][3::2])) / 2  # both crop sizes
        made[row] = {
            "sigma_data": round(residual_spread(config, some), 3),
            "seconds_a_step": round(float(each), 4),
            "steps": max(int(arguments.seconds / each), 2),
        }
    write_json(path, made)
    return made


def trial(config: TrainConfig, some: Sequence[TrainingTile]) -> Iterator[dict]:
    """Steps of a run that leaves nothing behind."""
    run = bridge_trainer(config, some, Path("unused"))
    run.out = None
    return run.run()


def train(row: str, config: TrainConfig, some: Sequence[TrainingTile], out: Path) -> BridgeModel:
    """The averaged model of the finished run in ``out``; goes on where it was stopped."""
    trainer = bridge_trainer(config, some, out)
    if states(out):
        trainer.resume()
    started, begun = time.process_time(), trainer.step
    for record in trainer.run():
        if record["step"] % 50 == 0:
            print(row, record["step"], f"{record['loss']:.4f}", flush=True)
    if trainer.step > begun:
        print(row, f"{time.process_time() - started:.0f} processor seconds", flush=True)
    model = BridgeModel(config.model).eval()
    load_into(model, averaged(out)[1], str(out))
    return model


def painter(model: BridgeModel) -> Draw:
    """A function that draws a window of a tile in 8 evaluations: ``(H, W, 3)`` uint8."""
    fast, config = prepared(model), RenderConfig(steps=EVALUATIONS)

    def draw(tile: TrainingTile, window: tuple[slice, slice], mode: str) -> np.ndarray:
        mask = affected_mask(tile.levels, RADIUS, FEATHER)[window] if mode == "edit" else None
        condition = scene_condition(
            tile.pre[window],
            tile.levels[window],
            hazard=class_of(tile.hazard, model.config.hazards),
            style=np.zeros(6) if mode == "edit" else tile.style,
            affected=mask,
        )
        with torch.inference_mode():
            for state in scene_states(fast, fast.inside(condition), seed=1, config=config):
                x0 = state.x
            rgb = to_rgb(fast.outward(x0))[0]
        drawn = to_pixels(rgb).copy()
        if mask is not None:
            drawn[mask == 0] = tile.pre[window][mask == 0]
        return drawn

    return draw


def coded(model: BridgeModel) -> Draw:
    """Instead of drawing: the real picture, coded and decoded. No latent bridge can do better."""
    fast = prepared(model)

    def draw(tile: TrainingTile, window: tuple[slice, slice], mode: str) -> np.ndarray:
        real = truth(tile, window, mode)
        condition = scene_condition(real, tile.levels[window], hazard=-1, style=None, affected=None)
        rgb = to_rgb(fast.outward(fast.inward(condition.pre)))[0]
        drawn = to_pixels(rgb).copy()
        if mode == "edit":
            same = affected_mask(tile.levels, RADIUS, FEATHER)[window] == 0
            drawn[same] = tile.pre[window][same]
        return drawn

    return draw


def truth(tile: TrainingTile, window: tuple[slice, slice], mode: str) -> np.ndarray:
    """What should have been drawn."""
    if mode == "redraw":
        return tile.post[window]
    mask = affected_mask(tile.levels, RADIUS, FEATHER)[window][..., None]
    before = tile.pre[window].astype(np.float32)
    return (before + mask * (tile.matched[window] - before)).round().astype(np.uint8)


def windows(some: Sequence[TrainingTile], each: int = 1) -> list[tuple[TrainingTile, tuple]]:
    """Up to ``each`` windows a tile, around damaged buildings far from each other."""
    found = []
    for tile in some:
        places: list[np.ndarray] = []
        damaged = damaged_centres(tile)
        for centre in damaged:
            corner = np.clip(np.rint(centre - SIDE / 2), 0, np.array(tile.pre.shape[:2]) - SIDE)
            corner = (corner // 16 * 16).astype(int)
            if len(places) < each and all(abs(corner - p).max() >= SIDE for p in places):
                places.append(corner)
        found += [(tile, (slice(r, r + SIDE), slice(c, c + SIDE))) for r, c in places]
    return found


def of_mode(places: Sequence[tuple], mode: str) -> Sequence[tuple]:
    """All windows for *edit*, every second one for *redraw*, which draws them whole."""
    return places if mode == "edit" else places[::2]


def crops(tile: TrainingTile, window: tuple[slice, slice], picture: np.ndarray) -> list[np.ndarray]:
    """Crops of 96 pixels around the damaged buildings in a window."""
    corner = np.array([window[0].start, window[1].start])
    damaged = damaged_centres(tile) - corner
    inside = damaged[((damaged >= 0) & (damaged < SIDE)).all(axis=1)]
    places = np.clip(np.rint(inside - CROP / 2), 0, SIDE - CROP).astype(int)
    return [picture[r : r + CROP, c : c + CROP] for r, c in places]


def energy(picture: np.ndarray, where: np.ndarray) -> float:
    """Mean squared gradient of the luminance where ``where`` is True."""
    grey = luminance(picture)
    down, right = np.diff(grey, axis=0)[:, :-1], np.diff(grey, axis=1)[:-1]
    return float((down**2 + right**2)[where[:-1, :-1]].mean())


def score(draw: Draw, places: Sequence[tuple], mode: str) -> tuple[dict, list[np.ndarray]]:
    """Figures of one candidate, and its pictures."""
    space = LiteFeatures()
    error, sharp, real_sharp, pictures = [], [], [], []
    ours: list[np.ndarray] = []
    theirs: list[np.ndarray] = []
    for tile, window in places:
        drawn, real = draw(tile, window, mode), truth(tile, window, mode)
        where = affected_mask(tile.levels, RADIUS, 0)[window] > 0
        where = where if mode == "edit" else np.ones_like(where)
        error.append(squared_error(drawn, real)[where])
        sharp.append(energy(drawn, where))
        real_sharp.append(energy(real, where))
        ours += crops(tile, window, drawn)
        theirs += crops(tile, window, real)
        pictures.append(drawn)
    maps, real_maps = space.maps(np.stack(ours)), space.maps(np.stack(theirs))
    return {
        "windows": len(places),
        "crops": len(ours),
        "psnr": round(psnr(float(np.concatenate(error).mean())) or 0, 2),
        "perceptual": round(float(perceptual_distance(maps, real_maps).mean()), 4),
        "frechet": round(frechet_distance(pooled(maps), pooled(real_maps)), 4),
        "sharpness": round(float(np.mean(sharp) / np.mean(real_sharp)), 3),
    }, pictures


def scene_seconds(draw: Draw, tile: TrainingTile) -> float:
    """Processor seconds of one whole 1024 x 1024 scene, drawn everywhere."""
    whole = (slice(0, 1024), slice(0, 1024))
    started = time.process_time()
    draw(tile, whole, "redraw")
    return round(time.process_time() - started, 1)


def operations(model: BridgeModel) -> float:
    """Thousands of operations a pixel and evaluation, counted with direct convolutions."""
    config, side = model.config, 64 // model.config.side
    x = torch.zeros(1, config.channels, side, side)
    condition = scene_condition(
        np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64)), hazard=-1, style=None, affected=None
    )
    inside = model.inside(condition)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x, torch.ones(1), inside)
    return round(counter.get_total_flops() / 64**2 / 1e3, 1)


def references(model: BridgeModel | None, places: Sequence[tuple], out: Path) -> None:
    """Rows without a bridge: nothing drawn, and what the autoencoder alone loses."""
    candidates: dict[str, Draw] = {"nothing drawn": lambda tile, window, _: tile.pre[window]}
    if model is not None:
        candidates["real, coded and decoded"] = coded(model)
    for name, draw in candidates.items():
        figures = {mode: score(draw, of_mode(places, mode), mode)[0] for mode in ("edit", "redraw")}
        write_json(out / f"{name}.json", {"row": name, **figures})


def do_row(row: str, arguments: argparse.Namespace, some: Sequence[TrainingTile]) -> None:
    """Train, score and keep the figures of one row."""
    out = arguments.out / row.replace(" ", "-")
    about = plan(arguments, some)[row]
    config, sigma = recipe(row, arguments.autoencoder), about["sigma_data"]
    model = replace(config.model, sigma_data=sigma, sigma_b=2 * sigma)
    trained = train(row, replace(config, model=model, steps=about["steps"]), some, out)
    places = windows(load_tiles(XbdTree(arguments.data).pairs("val")))
    draw, figures = painter(trained), {}
    for mode in ("edit", "redraw"):
        figures[mode], pictures = score(draw, of_mode(places, mode), mode)
        np.savez_compressed(arguments.out / f"{out.name}-{mode}.npz", np.stack(pictures))
    references(trained if trained.coder else None, places, arguments.out)
    about |= {
        "row": row,
        "parameters": sum(p.numel() for p in trained.network.parameters()),
        "operations": operations(trained),
        "network": asdict(config.model),
        **figures,
    }
    write_json(arguments.out / f"{out.name}.json", about)
    print(json.dumps({k: v for k, v in about.items() if k != "network"}), flush=True)


def do_scene(row: str, arguments: argparse.Namespace) -> None:
    """Time a whole scene of a row that is done; how long it takes does not depend on weights."""
    path = arguments.out / f"{row.replace(' ', '-')}.json"
    about = json.loads(path.read_text())
    if "scene_seconds" not in about:
        model = BridgeModel(ROWS[row]).eval()
        tile = load_tiles(XbdTree(arguments.data).pairs("val"))[0]
        write_json(path, about | {"scene_seconds": scene_seconds(painter(model), tile)})


HEAD = (
    "| space | parameters | operations a pixel | steps | scene, s | edit: PSNR | perceptual "
    "| Fréchet | sharpness | redraw: PSNR | perceptual | Fréchet | sharpness |"
)


def table(out: Path) -> str:
    """All rows that are there, as Markdown."""
    lines = [HEAD, "|---" * 13 + "|"]
    names = [*(row.replace(" ", "-") for row in ROWS), "nothing drawn", "real, coded and decoded"]
    for name in names:
        path = out / f"{name}.json"
        if not path.is_file():
            continue
        row = json.loads(path.read_text())
        cells = [row["row"]]
        if "steps" in row:
            cells += [f"{row['parameters'] / 1e6:.1f} M", f"{row['operations']:.0f} k"]
            cells += [str(row["steps"]), str(row.get("scene_seconds", ""))]
        else:
            cells += [""] * 4
        for mode in ("edit", "redraw"):
            cells += [str(row[mode][k]) for k in ("psnr", "perceptual", "frechet", "sharpness")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sheet(arguments: argparse.Namespace) -> None:
    """Pre, each row, the real picture, for a few windows: ``sheet-{mode}.png``."""
    every = windows(load_tiles(XbdTree(arguments.data).pairs("val")))
    middle = np.s_[SIDE // 2 - 80 : SIDE // 2 + 80, SIDE // 2 - 80 : SIDE // 2 + 80]
    for mode in ("edit", "redraw"):
        drawn, places = [], of_mode(every, mode)
        for row in ROWS:
            path = arguments.out / f"{row.replace(' ', '-')}-{mode}.npz"
            if path.is_file():
                drawn.append(np.load(path)["arr_0"])
        lines = []
        for n in arguments.windows or range(0, len(places), max(len(places) // 6, 1)):
            tile, window = places[n]
            shown = [tile.pre[window], *(d[n] for d in drawn), truth(tile, window, mode)]
            lines.append(np.concatenate([p[middle] for p in shown], axis=1))
        picture = np.concatenate(lines)[..., ::-1]
        cv2.imwrite(str(arguments.out / f"sheet-{mode}.png"), picture)


def main(argv: Sequence[str]) -> None:
    """One row, or the table and the contact sheets of all rows that are there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks spaces", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="xBD tree with splits.json")
    parser.add_argument("--out", type=Path, required=True, help="folder of all rows")
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=[])
    parser.add_argument("--seconds", type=float, default=90.0, help="of processor, a row")
    parser.add_argument("--autoencoder", default="", help="model folder, for latents")
    parser.add_argument("--table", action="store_true", help="print the table, draw the sheets")
    parser.add_argument("--windows", type=int, nargs="*", help="of the contact sheets")
    arguments = parser.parse_args(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.rows:
        some = load_tiles(XbdTree(arguments.data).pairs("train"))
        for row in arguments.rows:
            if not (arguments.out / f"{row.replace(' ', '-')}.json").is_file():
                do_row(row, arguments, some)
        for row in arguments.rows:
            do_scene(row, arguments)
    if arguments.table:
        sheet(arguments)
        print(table(arguments.out))
