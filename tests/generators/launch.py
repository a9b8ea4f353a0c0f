"""The command in processes of its own, forked from a server that has torch loaded already."""

import json
import multiprocessing
import os
import socket
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import toys

SERVER = multiprocessing.get_context("forkserver")
#: torch imports its compiler with the first optimiser; that is most of a start.
MODULES = ("afterscene.cli", "afterscene.recipes.run", "afterscene.recipes.registry")
SLOW = ("torch._dynamo", "torch.utils.checkpoint", "torch.utils.tensorboard", "accelerate.utils")
SERVER.set_forkserver_preload([*MODULES, *SLOW])

#: The recipe as a toy: some thousand weights, four crops of 32 pixels a step.
TOY = (
    "model.widths=8,16",
    "model.depths=1,1",
    "model.embedding=16",
    "crops.shapes=[32,4],[48,3]",
    "warmup=2",
    "lr=4e-3",
    "save_every=3",
    "validate_every=1000",
    "precision=fp32",
)
#: A detector as a toy: batch norms, Dice over the batch, five crops of 64 pixels a step, at the
#: recipe's own rate, which makes a thousandth of a last bit within eight steps.
TOY_DETECTOR = (
    "crop=64",
    "batch=5",
    "width=8",
    "save_every=3",
    "validate_every=1000",
    "precision=fp32",
    "exact=true",
)


def toy_pairs(folder: Path, count: int = 3) -> Path:
    """An xBD folder of small labelled pairs: two of four houses turn white, destroyed.

    The first is the split ``val``, the others are ``train``.
    """
    stems = [f"santa-rosa-wildfire_{k:08d}" for k in range(count)]
    for seed, stem in enumerate(stems):
        pre = toys.write_pre(folder, stem, seed)
        pixels = np.array(Image.open(pre))
        label = json.loads((folder / "labels" / f"{pre.stem}.json").read_text())
        for number, (left, top, right, bottom) in enumerate(toys.BOXES):
            word = "destroyed" if number % 2 else "no-damage"
            label["features"]["xy"][number]["properties"]["subtype"] = word
            if number % 2:
                pixels[top : bottom + 1, left : right + 1] = 240
        post = pre.stem.replace("_pre_", "_post_")
        Image.fromarray(pixels).save(folder / "images" / f"{post}.png")
        (folder / "labels" / f"{post}.json").write_text(json.dumps(label))
    (folder / "splits.json").write_text(json.dumps({"train": stems[1:], "val": stems[:1]}))
    return folder


def arguments(
    data: Path, out: Path, steps: int, *more: object, recipe="generator-small"
) -> list[str]:
    """The command line of a toy run."""
    toy = TOY if recipe == "generator-small" else TOY_DETECTOR
    settings = [word for pair in toy for word in ("--set", pair)]
    start = ["train", recipe, "--data", data, "--out", out, "--set", f"steps={steps}"]
    return [str(word) for word in (*start, *settings, "--json", "--quiet", *more)]


def _command(words: list[str], environment: dict[str, str], log: str) -> None:
    from afterscene.cli import main

    os.environ.update(environment)
    with Path(f"{log}.out").open("w") as out, Path(f"{log}.err").open("w") as error:
        os.dup2(out.fileno(), 1)
        os.dup2(error.fileno(), 2)
        sys.argv = ["afterscene", *words]
        main()


class Command:
    """One process, or several that train together as torchrun would start them."""

    def __init__(self, words: list[str], folder: Path, size: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.logs = [folder / f"log-{len(list(folder.iterdir()))}-{r}" for r in range(size)]
        shared = {} if size == 1 else _meeting(size)
        self.processes = []
        for rank, log in enumerate(self.logs):
            own = {**shared, **({"RANK": str(rank), "LOCAL_RANK": str(rank)} if shared else {})}
            process = SERVER.Process(target=_command, args=(words, own, str(log)))
            process.start()
            self.processes.append(process)

    def alive(self) -> bool:
        return any(process.is_alive() for process in self.processes)

    def send(self, kind: int) -> None:
        for process in self.processes:
            os.kill(process.pid, kind)

    def codes(self, timeout: float = 120) -> list[int]:
        """Exit codes, once all have ended."""
        for process in self.processes:
            process.join(timeout)
        return [process.exitcode for process in self.processes]

    @property
    def stdout(self) -> str:
        return Path(f"{self.logs[0]}.out").read_text()

    @property
    def stderr(self) -> str:
        return "\n".join(Path(f"{log}.err").read_text() for log in self.logs)

    def result(self) -> dict:
        """The JSON of a run that ended well."""
        assert set(self.codes()) == {0}, self.stderr
        return json.loads(self.stdout)


def _meeting(size: int) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
