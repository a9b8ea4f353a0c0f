"""Train the shipped scene classifier: python tools/train_scenes.py UCMERCED_FOLDER OUT_FOLDER.

Softmax regression on features that are computed once; some five minutes on one core. Prints the
accuracy on the hold-out, with the classes that are taken for each other. The hold-out is a rule,
not a choice: in each class every fifth picture in order of its name (the 5th, 10th, ...) is never
trained on. Features are standardised for the descent and the scaling is folded into the layer
afterwards, so that the layer takes features as they are.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from afterscene.errors import MissingFile
from afterscene.files import write_atomic, write_json
from afterscene.geodata.scene import read_scene
from afterscene.regions.scenes import CLASSES, KIND, features, new_head
from afterscene.tensors import from_numbers, to_tensor

STEPS, RATE, DROPOUT, SMOOTHING, DECAY = 400, 3e-3, 0.3, 0.1, 0.01
HELD_OUT = 5


def pictures(folder: Path) -> tuple[list[Path], np.ndarray, np.ndarray]:
    """The files below ``folder/{class}/``, their class, and which are held out.

    Raises:
        MissingFile: a class has no folder or too few pictures.
    """
    paths, kinds, held = [], [], []
    for kind, name in enumerate(CLASSES):
        files = sorted(p for p in (folder / name).glob("*") if p.suffix in (".jpg", ".png", ".tif"))
        if len(files) < HELD_OUT:
            raise MissingFile(f"{folder / name}: holds no pictures of class {name}; see UC Merced")
        for number, path in enumerate(files):
            paths.append(path)
            kinds.append(kind)
            held.append(number % HELD_OUT == HELD_OUT - 1)
    return paths, np.array(kinds), np.array(held)


def embed_files(paths: Sequence[Path]) -> Tensor:
    """(n, 320) features of picture files."""
    return torch.cat([features([to_tensor(read_scene(path))]) for path in paths])


def fit_head(x: Tensor, kinds: np.ndarray, *, seed: int = 0) -> nn.Linear:
    """The layer that tells the kinds apart: AdamW on cross-entropy with smoothed labels."""
    generator = torch.Generator().manual_seed(seed)
    centre, scale = x.mean(0), x.std(0) + 1e-3
    z, y = (x - centre) / scale, from_numbers(kinds)
    head = new_head()
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    descent = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(STEPS):
        kept = torch.rand(z.shape, generator=generator) >= DROPOUT
        loss = F.cross_entropy(head(z * kept / (1 - DROPOUT)), y, label_smoothing=SMOOTHING)
        descent.zero_grad()
        loss.backward()
        descent.step()
    with torch.no_grad():
        head.weight.div_(scale)
        head.bias.sub_(head.weight @ centre)
    return head


def accuracy(head: nn.Linear, x: Tensor, kinds: np.ndarray) -> tuple[float, np.ndarray]:
    """Share of pictures that are named rightly, and (21, 21) counts [true, said]."""
    with torch.no_grad():
        said = head(x).argmax(1).numpy()
    table = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(table, (kinds, said), 1)
    return float((said == kinds).mean()), table


def save_model(folder: Path, head: nn.Linear, about: dict[str, Any]) -> None:
    """``head.safetensors`` and ``config.json`` for
    :func:`afterscene.regions.scenes.load_scenes`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().contiguous() for name, value in head.state_dict().items()}
    write_atomic(folder / "head.safetensors", save(state))
    write_json(folder / "config.json", {"kind": KIND, "classes": list(CLASSES), **about})


def main(folder: Path, out: Path) -> None:
    paths, kinds, held = pictures(folder)
    x = embed_files(paths)
    head = fit_head(x[~held], kinds[~held])
    share, table = accuracy(head, x[held], kinds[held])
    about = {
        "data": "UC Merced Land Use (Yang and Newsam 2010), USGS National Map imagery",
        "licence": "public domain pictures; ImageNet encoder Apache-2.0",
        "trained_on": int((~held).sum()),
        "held_out": int(held.sum()),
        "accuracy": round(share, 4),
    }
    save_model(out, head, about)
    sys.stdout.write(f"hold-out accuracy {share:.4f} on {held.sum()} pictures\n")
    wrong = table - np.diag(np.diag(table))
    for true, said in zip(*wrong.nonzero(), strict=True):
        line = f"  {CLASSES[true]} taken for {CLASSES[said]}: {wrong[true, said]}\n"
        sys.stdout.write(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
