"""Roofs that wind opened: missing shingles, bare decking, open rooms, tarpaulins.

Bare patches and pieces are parallel to the walls of the house, as the boards are; they start more
often where the suction is greatest. For the figures see :mod:`.wind`.
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.depiction.painting import Painting, outline
from afterscene.geodata.damage import DamageLevel

MINOR, MAJOR = DamageLevel.MINOR, DamageLevel.MAJOR
HOLE = (0.20, 0.19, 0.17)
#: Share of a roof with minor damage that is bare in patches, and how often none of it is: damage
#: that shows around the house, or not at all.
BARE, UNSEEN = (0.04, 0.28), 0.2
#: Half the length (gamma: shape, scale) and half the width of a bare patch, in pixels.
LENGTH, WIDTH = (3.0, 2.2), (1.5, 5.0)
#: Share of a roof with major damage through which one sees the inside.
OPEN = (0.0, 0.05)
#: Share of roofs that are bare in one piece, and share of the roof that this piece has.
TORN = {MINOR: (0.3, (0.03, 0.5)), MAJOR: (1.0, (0.12, 0.6))}
#: How uneven the border of that piece is (share of the roof), and how often boards are missing.
EDGE, GAPS = 0.02, 0.25
#: Colours of that decking, and how bright it is on each roof; width of rooms in pixels, and studs.
DECKS = ((0.74, 0.53, 0.43), (0.72, 0.54, 0.46), (0.66, 0.54, 0.45), (0.55, 0.50, 0.46))
WARM, ROOM, STUD = (0.8, 1.08), (4.0, 8.0), (0.70, 0.63, 0.55)
#: How crooked walls are, in pixels, and the share of rooms in shade.
BEND, SHADED = 0.5, 0.35
#: Tarpaulins, and the share of roofs with minor damage that have one.
TARPS, COVERED = ((0.29, 0.34, 0.56), (0.38, 0.50, 0.63), (0.33, 0.42, 0.62)), 0.08


def tear(painting: Painting, rng: np.random.Generator, decks: np.ndarray) -> np.ndarray:
    """Lay bare one piece of the decking of roofs, and open the roofs with major damage.

    ``decks (n, 3)`` are the colours of decking. Returns ``(buildings,)`` bool: the roofs with such
    a piece. It starts at an edge of the roof and is parallel to the walls; the opening is a
    rectangle in it with rooms between walls, dark or in the colours of floors and ceilings.
    """
    opened, decked = (np.zeros(painting.shape, np.float32) for _ in range(2))
    floor, wood = (np.zeros((*painting.shape, 3), np.float32) for _ in range(2))
    fine, rough = painting.noise(2.5, 5.0), painting.noise(4.0, 9.0)
    torn = np.zeros(len(painting.damage.buildings), bool)
    for i, building in enumerate(painting.damage.buildings):
        chance, turn, at = rng.random(), rng.integers(4), rng.random()
        tones, cell = rng.random(64), rng.uniform(*ROOM)
        pick, share, lost, warm = rng.random(), rng.random(), rng.random(), rng.uniform(*WARM)
        if building.level not in TORN or chance > TORN[building.level][0]:
            continue
        rows, cols, along = painting.along_walls(i, turn * np.pi / 2)
        across = painting.along_walls(i, (turn + 1) * np.pi / 2)[2]
        if len(rows) < 12:
            continue
        torn[i] = True
        low, high = TORN[building.level][1]
        part = low + (high - low) * share**1.5
        u, v = _spread(along), np.abs(_spread(across) - at)
        u, v = u + EDGE * rough[rows, cols], v + EDGE * fine[rows, cols]
        length = np.sqrt(part) * (1 + 0.6 * (tones[0] - 0.5))
        decked[rows, cols] = (u < length) & (v < 0.7 * part / length)
        board = decks[int(pick * len(decks))] * warm
        wood[rows, cols] = board
        if building.level != MAJOR:
            continue
        part = OPEN[0] + (OPEN[1] - OPEN[0]) * lost
        length = np.sqrt(part) * (1 + 0.6 * (tones[1] - 0.5))
        inside = (u < length) & (v < 0.7 * part / length)
        opened[rows, cols], decked[rows, cols] = inside, decked[rows, cols] * ~inside
        bend = BEND * rough[rows, cols]
        x, y = along + bend, across + bend
        tone = tones[((x // cell).astype(int) * 7 + (y // (0.8 * cell)).astype(int) * 13) % 64]
        tone = (tone + 0.07 * fine[rows, cols])[:, None]
        inner = np.where(
            tone < SHADED, np.array(HOLE), np.where(tone < 0.7, 0.55 * board, 0.9 * board)
        )
        stud = ((x % cell < 1.0) | (y % (0.8 * cell) < 1.0)) & (fine[rows, cols] > -0.4)
        floor[rows, cols] = np.where(stud[:, None], np.array(STUD), inner)
    gaps = np.clip(1.2 + GAPS * painting.noise(2.0, 4.0), 0, 1)
    light = 1 + 0.09 * painting.noise(2.0, 6.0)[..., None]
    painting.paint(wood * light, gaps * decked)
    painting.paint(floor * light, 0.9 * cv2.GaussianBlur(opened, (0, 0), 0.5) * (opened > 0))
    return torn


def cover(painting: Painting, rng: np.random.Generator) -> None:
    """Paint tarpaulins on roofs with minor damage; ridges and hips show through."""
    part = painting.parts(MINOR, (0.3, 1.0), lumpy=0.05)
    grey = painting.picture.mean(axis=2)
    near = cv2.GaussianBlur(grey, (0, 0), 8.0)
    relief = np.clip(grey / np.maximum(near, 0.05), 0.75, 1.2) * (
        1 + 0.08 * painting.noise(2.0, 7.0)
    )
    count = len(painting.damage.buildings) + 1
    tones = np.array(TARPS, np.float32)[rng.integers(0, len(TARPS), count)][painting.index]
    covered = (rng.random(count) < COVERED)[painting.index]
    painting.paint(tones * relief[..., None], 0.9 * part * covered)


def _spread(values: np.ndarray) -> np.ndarray:
    """Values scaled to 0..1 between their 2nd and 98th percentiles."""
    low, high = np.quantile(values, (0.02, 0.98))
    return (values - low) / max(float(high - low), 1.0)


def bare(painting: Painting, rng: np.random.Generator, torn: np.ndarray) -> np.ndarray:
    """``(H, W)`` float32 in [0, 1]: where shingles are missing, in strips along the walls.

    Less on ``torn`` roofs, which already have one bare piece. Patches start more often at the edges
    of a roof, where the suction is greatest.
    """
    out = np.zeros(painting.shape, np.float32)
    for i, building in enumerate(painting.damage.buildings):
        if building.level != MINOR:
            continue
        rows, cols, angle = painting.walls(i)
        share = rng.uniform(*BARE) * (0.4 if torn[i] else 1.0)
        if len(rows) < 12 or rng.random() < UNSEEN:
            continue
        box = slice(rows.min(), rows.max() + 1), slice(cols.min(), cols.max() + 1)
        roof = painting.index[box] == i + 1
        inward = cv2.distanceTransform(np.pad(roof, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        likely = np.exp(-inward[roof] / 3.0) + 0.15
        part = np.zeros(roof.shape, np.float32)
        for _ in range(40):
            if part[roof].mean() >= share:
                break
            at = rng.choice(len(rows), p=likely / likely.sum())
            turn = angle + np.pi / 2 * rng.integers(2) + rng.normal(0, 0.05)
            half = rng.gamma(*LENGTH), rng.uniform(*WIDTH)
            place = np.array([cols[at] - box[1].start, rows[at] - box[0].start])
            corners = outline(place, turn, half)
            corners = corners + np.rint(rng.normal(0, 6, (4, 2))).astype(np.int32)
            cv2.fillConvexPoly(part, corners, 1.0, cv2.LINE_AA, shift=3)
        soft = cv2.GaussianBlur(part, (0, 0), 0.5)
        out[box] = np.where(roof, np.minimum(soft, 1), out[box])
    return out
