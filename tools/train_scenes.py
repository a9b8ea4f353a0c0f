"""Train the shipped scene classifier: python tools/train_scenes.py UCMERCED_FOLDER OUT_FOLDER.

Some five minutes on one core. Prints the accuracy on the hold-out (every fifth picture of each
class), with the classes that are taken for each other.
"""

import sys
from pathlib import Path

import numpy as np

from afterscene.regions import fit_scenes
from afterscene.regions.scenes import CLASSES


def main(folder: Path, out: Path) -> None:
    paths, kinds, held = fit_scenes.pictures(folder)
    x = fit_scenes.embed_files(paths)
    head = fit_scenes.fit_head(x[~held], kinds[~held])
    share, table = fit_scenes.accuracy(head, x[held], kinds[held])
    about = {
        "data": "UC Merced Land Use (Yang and Newsam 2010), USGS National Map imagery",
        "licence": "public domain pictures; ImageNet encoder Apache-2.0",
        "trained_on": int((~held).sum()),
        "held_out": int(held.sum()),
        "accuracy": round(share, 4),
    }
    fit_scenes.save_model(out, head, about)
    sys.stdout.write(f"hold-out accuracy {share:.4f} on {held.sum()} pictures\n")
    wrong = table - np.diag(np.diag(table))
    for true, said in zip(*wrong.nonzero(), strict=True):
        line = f"  {CLASSES[true]} taken for {CLASSES[said]}: {wrong[true, said]}\n"
        sys.stdout.write(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
