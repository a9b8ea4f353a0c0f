"""What a picture looks like in 256 bits, so that copies are known under any name.

dHash: shrink to 17 x 16 grey values and note for each of the 256 neighbours in a row whether it
grows brighter. On the 152 real tiles of the project the nearest two different ones differ in 33
bits, while a tile saved again as JPEG at quality 50, blurred, halved in size or brightened stays
within 9 bits for 19 of 20: up to :data:`NEAR` bits are a copy. A flat picture (open water, no data)
has no such pattern. A turned or mirrored copy is found by the eight views of the original (own view
within 6 bits, the nearest other tile 25 on the same 152).
"""

import cv2
import numpy as np

SIDE = 16
NEAR = 16
#: Grey values: a picture whose shrunk version varies less has no pattern to compare.
FLAT = 1.5


def difference_hash(rgb: np.ndarray) -> np.ndarray | None:
    """(H, W, 3) uint8 -> (256,) bool, or None for a flat picture."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    if small.std() < FLAT:
        return None
    return (small[:, 1:] > small[:, :-1]).ravel()


def views(rgb: np.ndarray) -> list[np.ndarray]:
    """Hashes of the picture turned by quarters and mirrored: eight, none for a flat picture."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (16 * SIDE, 16 * SIDE), interpolation=cv2.INTER_AREA)
    turned = [np.rot90(side, k) for side in (small, small[:, ::-1]) for k in range(4)]
    hashes = [difference_hash(np.repeat(t[..., None], 3, axis=2)) for t in turned]
    return [bits for bits in hashes if bits is not None]
