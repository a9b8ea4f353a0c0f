"""What wind breaks, drawn as a first sketch: bare decking, open roofs, heaps, stripped trees.

Minor is missing shingles, in strips or in one piece, with wood or felt below, or a tarpaulin; major
a larger piece, and a part of the roof that is gone, with rooms below. Of a destroyed building stays
a spread heap of angular pieces, many in the colour of its own roof, or its slab with some pieces,
or, of a small one, nothing but ground. Trees lose their leaves and the ground carries litter, near
undamaged houses too, so that change alone does not mean damage.

Shares and sizes were set by eye on post images of the splits ``train`` and ``val`` of xBD's
hurricane-michael pairs, and for major damage by what a detector that was trained on real pairs
calls it; brightness, colour and sharpness by what was measured there. On five tiles of ``val``,
*edit*, medians over buildings (90th percentiles; ``python -m benchmarks texture --xbd XBD
--tiles 5``): brightness finer than 1.5 pixels deviates on minor and major ones by 0.032 (0.052) and
0.044 (0.050), drawn by 0.033 (0.052) and 0.041 (0.052); red minus green by 0.005 (0.008) and 0.006
(0.007), drawn by 0.007 (0.010) and 0.007 (0.014). An earlier sketch had two to three times the
colour detail of real damage, and a detector takes that for the mark of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from afterscene.geodata.damage import DamageLevel, DamageMap
from afterscene.geodata.drawn.ruin import Wreck, nearness

MINOR, MAJOR, DESTROYED = DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED
#: What lies below shingles: decking, weathered boards, felt, tar; each building has one.
BELOW = ((0.74, 0.54, 0.44), (0.64, 0.55, 0.46), (0.42, 0.41, 0.39), (0.20, 0.19, 0.17))
HOW_OFTEN = (0.5, 0.2, 0.2, 0.1)
HOLE = (0.20, 0.19, 0.17)
SCRAPS = ((0.80, 0.72, 0.64), (0.84, 0.84, 0.82), (0.45, 0.42, 0.38), (0.62, 0.50, 0.40))
#: Colours of pieces beside the roof's own: drywall and sheet metal, insulation, wood.
PIECES = ((0.84, 0.82, 0.79), (0.70, 0.68, 0.65), (0.72, 0.61, 0.54), (0.60, 0.51, 0.43))
GAP, SLAB = (0.25, 0.23, 0.20), (0.60, 0.55, 0.48)
#: Share of a roof with minor damage that lies bare in patches, and how often none of it does:
#: damage that is seen around the house or not at all.
BARE, UNSEEN = (0.04, 0.28), 0.2
#: How opaque bare patches are, each building anew.
PAINT = (0.6, 1.0)
#: Half length (gamma: shape, scale) and half width of a bare patch, in pixels.
LENGTH, WIDTH = (3.0, 2.2), (1.5, 5.0)
#: Share of a roof with major damage that is open to the inside.
OPEN = (0.0, 0.05)
#: How many roofs lie bare in one piece, and which share of each.
TORN = {MINOR: (0.3, (0.03, 0.5)), MAJOR: (1.0, (0.12, 0.6))}
#: How far the border of that piece strays (share of the roof), and how often boards are missing.
EDGE, GAPS = 0.02, 0.25
#: Colours of that decking, and how bright it is on each roof; width of rooms in pixels, and studs.
DECKS = ((0.74, 0.53, 0.43), (0.72, 0.54, 0.46), (0.66, 0.54, 0.45), (0.55, 0.50, 0.46))
WARM, ROOM, STUD = (0.8, 1.08), (4.0, 8.0), (0.70, 0.63, 0.55)
#: How crooked walls are, in pixels, and how many rooms lie in shade.
BEND, SHADED = 0.5, 0.35
#: Share of the ground beside a damaged house that pieces cover, and how far they fly, in pixels.
DEBRIS = {MINOR: (0.012, 8.0), MAJOR: (0.05, 9.0), DESTROYED: (0.10, 12.0)}
#: Tarpaulins, and how many roofs with minor damage lie under one.
TARPS, COVERED = ((0.29, 0.34, 0.56), (0.38, 0.50, 0.63), (0.33, 0.42, 0.62)), 0.08
#: Metres per second at which trees begin to lose leaves, and at which few are left.
LEAVES = (25.0, 60.0)
#: How far crowns come to look like open ground, of a colour as GROUND where none is seen: share of
#: red, green and blue near buildings (falling over so many pixels) and in the woods.
FAR, TOWN, WOODS, GROUND = 60.0, (0.52, 0.36, 0.36), (0.30, 0.05, 0.04), (0.43, 0.45, 0.36)
#: How much of that a scene takes, how much more near buildings with major damage, destroyed or not
#: classified, where the gusts were harder, and how much of the crowns' own structure stays.
THIN, HARDER, KEPT = (0.6, 1.2), 0.5, 0.5
#: New structure: size in pixels, deviation of brightness near buildings and in the woods.
ROUGH = ((8.0, 0.035, 0.024), (20.0, 0.03, 0.02))
#: Share of the ground that pieces cover, elsewhere and near those buildings.
LITTER = (0.006, 0.036)
#: Footprints of fewer pixels often vanish whole.
SMALL = 260
#: What may become of a destroyed building; shares of the first two, for small and for other ones.
VANISHED, SLABBED, HEAPED = 0, 1, 2
FATES = ((0.50, 0.12), (0.22, 0.30))
#: How much colour the materials above keep, seen through haze beside the roofs of the scene; each
#: scene anew.
VIVID = (0.3, 1.2)
#: Width (standard deviation, pixels) of what a satellite smears: brightness, and colour, which is
#: recorded four times as coarse and sharpened by the brightness afterwards.
SMEAR, TINT = 0.5, 1.6
#: For each: area of its pieces as a share of the footprint, and how far they lie, in pixels.
STREWN = (((0.05, 0.2), (3.0, 6.0)), ((0.15, 0.6), (2.0, 6.0)), ((0.2, 1.1), (1.0, 6.0)))
#: How much of the old roof is gone under a heap; what is left lies there broken.
GONE = (0.45, 1.0)


def strip(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 after the gusts: crowns give way to ground, some litter.

    On 44 ``train`` pairs of hurricane-michael hardly a crown keeps its structure: brightness finer
    than 20 pixels correlates by 0.2 with that of before (open ground 0.4); near buildings crowns
    come half-way to the red and a third to the green and blue of open ground, in the woods a third
    and not at all.
    """
    rng = np.random.default_rng((seed, 45))
    wreck = Wreck.of(picture, damage, rng)
    low, high = LEAVES
    gust = np.clip((damage.intensity - low) / (high - low), 0, 1) if damage.intensity.any() else 1.0
    heavy, near = nearness(wreck.level >= MAJOR, FAR), nearness(wreck.index > 0, FAR)
    thin = np.clip(rng.uniform(*THIN) + 0.2 * wreck.noise(28.0, 12.0), 0, 1.2)
    thin = (thin + HARDER * heavy) * gust
    before, smooth = wreck.picture, cv2.GaussianBlur(wreck.picture, (0, 0), 6.0)
    crowns = np.clip(5 * wreck.green() * np.maximum(wreck.dark(), 0.3) - 1, 0, 1)
    share = np.array(WOODS) + near[..., None] * np.subtract(TOWN, WOODS)
    kept = (KEPT * (1 - 0.8 * heavy))[..., None]
    bare = smooth + kept * (before - smooth)
    bare = bare + thin[..., None] * share * (_open(wreck, crowns) - smooth)
    for size, town, woods in ROUGH:
        rough = (woods + near * (town - woods)) * np.minimum(thin, 1) * wreck.noise(size)
        bare = bare + rough[..., None]
    crowns = np.clip(2 * cv2.GaussianBlur(crowns, (0, 0), 1.5) - 0.5, 0, 1)
    wreck.paint(bare, (wreck.index == 0) * crowns * np.minimum(1.5 * thin, 1))
    litter = LITTER[0] + (LITTER[1] - LITTER[0]) * heavy
    wreck.debris(litter * thin * np.clip(0.5 + wreck.noise(14.0, 6.0), 0, 2), SCRAPS)
    return wreck.rgb()


def _open(wreck: Wreck, crowns: np.ndarray) -> np.ndarray:
    """``(H, W, 3)``: the colour of the open ground around each place."""
    free = (wreck.index == 0) & (wreck.blue() < 0.5) & (wreck.dark() < 0.5)
    free = free * (1 - np.minimum(3 * crowns, 1)).astype(np.float32)
    weight = cv2.GaussianBlur(free, (0, 0), 40.0)[..., None]
    around = cv2.GaussianBlur(wreck.picture * free[..., None], (0, 0), 40.0)
    return (around + 0.02 * np.array(GROUND, np.float32)) / (weight + 0.02)


def blow(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 with torn roofs, heaps and debris; equal seeds, equal."""
    rng = np.random.default_rng((seed, 41))
    wreck = Wreck.of(picture, damage, rng)
    before, hazed = wreck.picture.copy(), _haze(wreck, rng.uniform(*VIVID))
    debris = sum(share * wreck.around(level, reach) for level, (share, reach) in DEBRIS.items())
    wreck.debris(debris * np.clip(0.7 + 0.6 * wreck.noise(12.0, 5.0), 0, 2), hazed(SCRAPS))
    kinds = rng.choice(len(BELOW), len(damage.buildings) + 1, p=HOW_OFTEN)
    below = hazed(BELOW)[kinds][wreck.index]
    boards = below * (1 + 0.09 * wreck.noise(2.0, 6.0))[..., None]
    bare = _bare(wreck, rng, _tear(wreck, rng, hazed(DECKS)))
    wreck.paint(boards, rng.uniform(*PAINT, len(kinds)).astype(np.float32)[wreck.index] * bare)
    _cover(wreck, rng)
    whole, pieces = wreck.picture.copy(), hazed(PIECES)
    fates = _fates(wreck, rng)
    _clear(wreck, fates, hazed)
    for i, (building, fate) in enumerate(zip(damage.buildings, fates, strict=True)):
        if building.level == DESTROYED:
            rows, cols = np.nonzero(wreck.index == i + 1)
            cover, spread = (rng.uniform(*span) for span in STREWN[fate])
            _scatter(wreck, rng, rows, cols, whole, pieces, cover=cover, spread=spread)
    _sense(wreck, before)
    return wreck.rgb()


def _haze(wreck: Wreck, vivid: float) -> Callable[[Sequence], np.ndarray]:
    """A function that greys colours ``(..., 3)`` and tints them as the roofs of the scene are."""
    roofs = wreck.picture[wreck.index > 0]
    mean = roofs.mean(axis=0) if len(roofs) else np.full(3, 0.5, np.float32)
    cast = mean - mean.mean()

    def hazed(colours: Sequence) -> np.ndarray:
        tones = np.array(colours, np.float32)
        grey = tones.mean(axis=-1, keepdims=True)
        return np.asarray(grey + vivid * (tones - grey) + cast, np.float32)

    return hazed


def _sense(wreck: Wreck, before: np.ndarray) -> None:
    """Smear what was drawn since ``before`` as a pan-sharpened image would, within its outline."""
    change = wreck.picture - before
    drawn = (change != 0).any(axis=2)
    light = change.mean(axis=2, keepdims=True)
    tint = cv2.GaussianBlur(change - light, (0, 0), TINT)
    light = cv2.GaussianBlur(light, (0, 0), SMEAR)[..., None]
    wreck.picture = np.where(drawn[..., None], before + light + tint, before)


def _tear(wreck: Wreck, rng: np.random.Generator, decks: np.ndarray) -> np.ndarray:
    """Bare the decking of roofs in one piece, and open those with major damage.

    ``decks (n, 3)`` are the colours of decking. Returns ``(buildings,)`` bool, which roofs were
    bared so. The piece begins at an edge of the
    roof and runs with the walls; what is open is a rectangle in it, of cells between walls, dark or
    in the colours of floors and ceilings.
    """
    opened, decked = (np.zeros(wreck.shape, np.float32) for _ in range(2))
    floor, wood = (np.zeros((*wreck.shape, 3), np.float32) for _ in range(2))
    fine, rough = wreck.noise(2.5, 5.0), wreck.noise(4.0, 9.0)
    torn = np.zeros(len(wreck.damage.buildings), bool)
    for i, building in enumerate(wreck.damage.buildings):
        chance, turn, at = rng.random(), rng.integers(4), rng.random()
        tones, cell = rng.random(64), rng.uniform(*ROOM)
        pick, share, lost, warm = rng.random(), rng.random(), rng.random(), rng.uniform(*WARM)
        if building.level not in TORN or chance > TORN[building.level][0]:
            continue
        rows, cols, along = wreck.along_walls(i, turn * np.pi / 2)
        across = wreck.along_walls(i, (turn + 1) * np.pi / 2)[2]
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
    gaps = np.clip(1.2 + GAPS * wreck.noise(2.0, 4.0), 0, 1)
    light = 1 + 0.09 * wreck.noise(2.0, 6.0)[..., None]
    wreck.paint(wood * light, gaps * decked)
    wreck.paint(floor * light, 0.9 * cv2.GaussianBlur(opened, (0, 0), 0.5) * (opened > 0))
    return torn


def _cover(wreck: Wreck, rng: np.random.Generator) -> None:
    """Lay tarpaulins over roofs with minor damage; ridges and hips show through."""
    part = wreck.parts(MINOR, (0.3, 1.0), lumpy=0.05)
    grey = wreck.picture.mean(axis=2)
    near = cv2.GaussianBlur(grey, (0, 0), 8.0)
    relief = np.clip(grey / np.maximum(near, 0.05), 0.75, 1.2) * (1 + 0.08 * wreck.noise(2.0, 7.0))
    count = len(wreck.damage.buildings) + 1
    tones = np.array(TARPS, np.float32)[rng.integers(0, len(TARPS), count)][wreck.index]
    covered = (rng.random(count) < COVERED)[wreck.index]
    wreck.paint(tones * relief[..., None], 0.9 * part * covered)


def _spread(values: np.ndarray) -> np.ndarray:
    """Values scaled to 0..1 between their 2nd and 98th percentiles."""
    low, high = np.quantile(values, (0.02, 0.98))
    return (values - low) / max(float(high - low), 1.0)


def _bare(wreck: Wreck, rng: np.random.Generator, torn: np.ndarray) -> np.ndarray:
    """``(H, W)`` float32 in [0, 1]: where shingles are missing, in strips along the walls.

    Of ``torn`` roofs less, for they lie bare in one piece already. Patches begin more often at the
    edges of a roof, where the suction is greatest.
    """
    out = np.zeros(wreck.shape, np.float32)
    for i, building in enumerate(wreck.damage.buildings):
        if building.level != MINOR:
            continue
        rows, cols, angle = wreck.walls(i)
        share = rng.uniform(*BARE) * (0.4 if torn[i] else 1.0)
        if len(rows) < 12 or rng.random() < UNSEEN:
            continue
        box = slice(rows.min(), rows.max() + 1), slice(cols.min(), cols.max() + 1)
        roof = wreck.index[box] == i + 1
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
            corners = _outline(place, turn, half)
            corners = corners + np.rint(rng.normal(0, 6, (4, 2))).astype(np.int32)
            cv2.fillConvexPoly(part, corners, 1.0, cv2.LINE_AA, shift=3)
        soft = cv2.GaussianBlur(part, (0, 0), 0.5)
        out[box] = np.where(roof, np.minimum(soft, 1), out[box])
    return out


def _fates(wreck: Wreck, rng: np.random.Generator) -> np.ndarray:
    """``(buildings,)``: what each would be if it were destroyed: VANISHED, SLABBED or HEAPED."""
    sizes = np.bincount(wreck.index.ravel(), minlength=len(wreck.damage.buildings) + 1)[1:]
    shares = np.where((sizes < SMALL)[:, None], *np.array(FATES)[:, None])
    return (rng.random(len(sizes))[:, None] > shares.cumsum(axis=1)).sum(axis=1)


def _clear(wreck: Wreck, fates: np.ndarray, hazed: Callable[[Sequence], np.ndarray]) -> None:
    """Lay what the pieces of destroyed buildings will lie on: ground, slab, or both in shade."""
    ground = _ground(wreck)
    slab = hazed(SLAB) * (1 + 0.08 * wreck.noise(3.0, 8.0))[..., None]
    gap = hazed(GAP) * (1.3 + 0.4 * wreck.noise(2.0, 5.0))[..., None]
    fate = np.concatenate([[-1], fates])[wreck.index]
    gone = np.append(1.0, wreck.rng.uniform(*GONE, len(fates))).astype(np.float32)[wreck.index]
    for which, floor in ((VANISHED, ground), (SLABBED, slab), (HEAPED, 0.5 * (ground + gap))):
        place = cv2.GaussianBlur(
            wreck.ragged(wreck.at(DESTROYED) & (fate == which), 2.0), (0, 0), 0.7
        )
        wreck.paint(floor, (gone if which == HEAPED else 0.95) * place)


def _ground(wreck: Wreck) -> np.ndarray:
    """``(H, W, 3)``: what lies around the footprints, carried under them."""
    free = (wreck.index == 0).astype(np.float32)
    weight = cv2.GaussianBlur(free, (0, 0), 10.0)[..., None]
    around = cv2.GaussianBlur(wreck.picture * free[..., None], (0, 0), 10.0)
    around = around / np.maximum(weight, 1e-3)
    return around * (1 + 0.08 * wreck.noise(2.0, 5.0))[..., None]


def _scatter(
    wreck: Wreck,
    rng: np.random.Generator,
    rows: np.ndarray,
    cols: np.ndarray,
    whole: np.ndarray,
    pieces: np.ndarray,
    *,
    cover: float,
    spread: float,
) -> None:
    """Lay angular pieces on pixels ``(rows, cols)``, moved by about ``spread`` pixels.

    Their areas sum to ``cover`` times those pixels; half have a colour found there in ``whole``,
    half one of ``pieces`` ``(n, 3)``.
    """
    count = int(cover * len(rows) / 5)
    if not count:
        return
    pick = rng.integers(0, len(rows), count)
    x, y = cols[pick] + rng.normal(0, spread, count), rows[pick] + rng.normal(0, spread, count)
    own = rng.random(count) < 0.5
    other = pieces[rng.integers(0, len(pieces), count)]
    colour = np.where(own[:, None], whole[rows[pick], cols[pick]], other)
    colour = np.clip(colour * rng.normal(1.0, 0.12, (count, 1)), 0.05, 0.97).astype(np.float32)
    half = np.stack([rng.gamma(3.0, 0.6, count), rng.uniform(0.4, 1.1, count)], axis=1)
    angle = rng.uniform(0, np.pi, count)
    box = (
        slice(max(rows.min() - 24, 0), rows.max() + 25),
        slice(max(cols.min() - 24, 0), cols.max() + 25),
    )
    part = np.ascontiguousarray(wreck.picture[box])
    soft = part.copy()
    corner = np.array([box[1].start, box[0].start])
    for place, size, turn, tone in zip(np.stack([x, y], 1), half, angle, colour, strict=True):
        outline = _outline(place - corner, turn, size)
        cv2.fillConvexPoly(soft, outline + 8, [float(0.55 * v) for v in tone], shift=3)
        cv2.fillConvexPoly(soft, outline, [float(v) for v in tone], shift=3)
    changed = cv2.GaussianBlur((soft != part).any(axis=2).astype(np.float32), (0, 0), 0.5)
    part += changed[..., None] * (cv2.GaussianBlur(soft, (0, 0), 0.8) - part)
    wreck.picture[box] = part


def _outline(at: np.ndarray, turn: float, half: Sequence[float]) -> np.ndarray:
    """Corners of a turned piece in eighths of a pixel, from its half length and half width.

    ``(4, 2)`` int32, x before y, as ``at`` ``(2,)``.
    """
    axis = np.array([np.cos(turn), np.sin(turn)])
    along, across = half[0] * axis, half[1] * np.array([-axis[1], axis[0]])
    corners = np.stack([along + across, along - across, -along - across, across - along])
    return np.rint(8 * (at + corners)).astype(np.int32)
