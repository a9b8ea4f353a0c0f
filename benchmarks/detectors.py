"""The detectors on a real split, several seeds of each, in one table.

    python -m benchmarks detectors --xbd XBD --out FOLDER --rows unet swin clip --seeds 5
        [--set crop=192 ...] [--limit 3]

Each training sees the split `--train`, takes its thresholds from `--val` and is scored once on
`--test` by `afterscene.detectors.evaluation`, the code behind `afterscene detect score`. What is
done is not done again, so the command goes on where it was stopped (a training that was cut starts
anew); a row trained with other settings stops it. `--set` changes fields of all detectors alike.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from afterscene.detectors import DETECTORS, DetectorConfig, fit
from afterscene.detectors.evaluation import score_pairs
from afterscene.errors import BadParameter
from afterscene.files import write_atomic, write_json
from afterscene.geodata.pair import read_pairs
from afterscene.geodata.xbd import XbdTree
from afterscene.metrics.xview2 import FIGURES
from afterscene.recipes.overrides import override

HEAD = (
    "| detector | score | seeds | less all undamaged | localisation | no damage | minor | major "
    "| destroyed |"
)


def do(row: str, config: DetectorConfig, seed: int, arguments: argparse.Namespace) -> bool:
    """Train and score one detector unless that is done. True if it was trained now."""
    out = arguments.out / f"{row}-{seed}"
    about = {"config": config.as_json(), "splits": [arguments.train, arguments.val, arguments.test]}
    if (out / "score.json").is_file():
        if json.loads((out / "about.json").read_text()) != about:
            raise BadParameter(f"{out} was trained with other settings; give another --out")
        return False
    tree = XbdTree(arguments.xbd)
    pairs = read_pairs(arguments.xbd, arguments.train)
    held = read_pairs(arguments.xbd, arguments.val)
    made = fit(config, pairs, seed=seed, validation=held)
    made.save(out)
    found = score_pairs(made, tree.pairs(arguments.test)).as_json()
    write_json(out / "about.json", about)
    write_json(out / "score.json", {**found, "seconds": made.provenance["seconds"]})
    print(row, seed, f"{found['score']:.4f}", f"{made.provenance['seconds']:.0f} s", flush=True)
    return True


def table(out: Path) -> str:
    """All detectors with a score, as Markdown: means over seeds."""
    lines = [HEAD, "|---" * 9 + "|"]
    for row in DETECTORS:
        found = [json.loads(p.read_text()) for p in sorted(out.glob(f"{row}-*/score.json"))]
        if not found:
            continue
        score = np.array([one["score"] for one in found])
        least = score - [one["all_undamaged_score"] for one in found]
        cells = [
            row,
            f"{score.mean():.3f}",
            " ".join(f"{value:.3f}" for value in score),
            f"{least.mean():+.3f} (least {least.min():+.3f})",
            *(f"{np.mean([one[name] for one in found]):.3f}" for name in FIGURES[2:]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> None:
    """Train what is not done, up to the limit, and print the table of all that is there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks detectors", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--xbd", type=Path, required=True, help="xBD tree with splits.json")
    parser.add_argument("--out", type=Path, required=True, help="folder of all trainings")
    parser.add_argument("--rows", nargs="+", choices=list(DETECTORS), default=["unet"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE of the detectors")
    parser.add_argument("--limit", type=int, default=10**6, help="trainings in this call")
    for split in ("train", "val", "test"):
        parser.add_argument(f"--{split}", default=split, help="split of the tree")
    arguments = parser.parse_args(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)
    left = arguments.limit
    for seed in range(arguments.seeds):
        for row in arguments.rows:
            if left > 0 and do(row, override(DETECTORS.find(row), arguments.set), seed, arguments):
                left -= 1
    made = table(arguments.out)
    write_atomic(arguments.out / "figures.md", f"{made}\n".encode())
    print(made)
