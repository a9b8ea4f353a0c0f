"""What is seen of an event only while it passes: flames and smoke, water, spray, ash fall, dust.

Each painter takes a frame ``(H, W, 3)`` uint8 and its :class:`~.moment.Moment` and paints over it;
where it paints nothing the frame stays the same to the bit. All of it is drawn by rule and set by
eye: there are no labelled pictures of disasters while they happen, so no network has learned them.
"""

from __future__ import annotations

import cv2
import numpy as np

from afterscene.depiction.evidence import rise
from afterscene.depiction.moment import Moment, fading, lit, over, plume

#: Film time for which a house burns with flames, and for which it smokes.
FLAMES, SMOKES = 0.14, 0.34
#: Film time for which dust stands over a house that fell.
DUSTY = 0.3
SMOKE, SOOT = (0.74, 0.72, 0.70), (0.30, 0.28, 0.27)
FLAME, GLOW = (1.0, 0.80, 0.36), (0.98, 0.42, 0.08)
DUST, EARTH = (0.73, 0.69, 0.61), (0.46, 0.40, 0.33)
FOAM, SILTY = (0.86, 0.86, 0.83), (0.37, 0.335, 0.27)
SPRAY, GREY_ASH, CLOUD = (0.80, 0.82, 0.83), (0.56, 0.55, 0.53), (0.50, 0.485, 0.465)


def blaze(picture: np.ndarray, moment: Moment) -> np.ndarray:
    """A wildfire: flames at the front and on houses, smoke that drifts with the wind."""
    houses = moment.struck >= 0
    young = np.where(houses, 1 - np.clip(moment.struck / FLAMES, 0, 1), 0)
    front = rise(moment.age, 0.0, 0.02) * (1 - rise(moment.age, 0.03, 0.09))
    burnable = rise(moment.damage.intensity, 4.0, 14.0)
    fuel = np.where(moment.changed, 1.0, 0.35) * burnable
    fine = moment.noise(4, (1.7, 1.2), moved=60 * moment.t)
    dots = 0.8 * moment.noise(1, (3.2, 2.2), moved=40 * moment.t) + 0.6 * fine
    dots = dots + 0.5 * moment.noise(2, (9.0, 7.0))
    tongues = np.clip(
        1.5 * np.sqrt(young) * (houses & (dots > 0.5 - 1.3 * young))
        + 0.9 * front * fuel * (dots > 0.55),
        0,
        1,
    )
    tongues = cv2.GaussianBlur(tongues.astype(np.float32), (0, 0), 0.8)
    heat = cv2.GaussianBlur(tongues, (0, 0), 5.0 / moment.gsd / 2)
    shown = over(picture, GLOW, np.clip(0.85 * heat, 0, 0.55) * (heat > 0.03))
    smoking = np.where(houses, 1 - np.clip(moment.struck / SMOKES, 0, 1), 0) + 0.3 * front * fuel
    shown = _smoke(shown, moment, smoking * fading(moment.t, -0.2, 1.0))
    core = np.clip(tongues * (0.25 + 0.45 * dots), 0, 1)[..., None]
    return over(shown, np.array(GLOW) + core * np.subtract(FLAME, GLOW), 0.72 * tongues)


def _smoke(picture: np.ndarray, moment: Moment, source: np.ndarray) -> np.ndarray:
    density = plume(source, moment.along, moment.gsd, reach=150.0, spread=0.13)
    shape = moment.billows(10, 26.0, moved=260 * moment.t)
    alpha = 1 - np.exp(-1.9 * density * (0.15 + 1.3 * shape))
    dark = np.clip(1.2 * density - 0.35, 0, 0.55)[..., None]
    colour = np.array(SMOKE) + dark * np.subtract(SOOT, SMOKE)
    return over(picture, colour * lit(shape, moment.gsd)[..., None], np.clip(alpha, 0, 0.9))


def swell(picture: np.ndarray, moment: Moment) -> np.ndarray:
    """A flood: a wet edge ahead of the water, foam and drift along it."""
    depth = moment.damage.intensity
    if not (depth > 0).any():
        return picture
    most = float(depth.max())
    now = depth - (1 - moment.height) * most
    busy = fading(moment.t, 0.02, 0.98) * ~moment.roofs
    rough = 0.03 * moment.noise(3, (9.0, 9.0)) + 0.02 * moment.noise(4, (3.0, 3.0))
    wet = (rise(now + rough, -0.16, 0.0) - rise(now + rough, 0.0, 0.02)) * (depth > 0)
    shown = over(picture, (0.12, 0.11, 0.09), 0.34 * busy * wet)
    line = rise(now + rough, 0.0, 0.04) * (1 - rise(now + rough, 0.06, 0.22))
    flecks = rise(moment.noise(5, (5.0, 2.0), moved=12 * moment.t), 0.5, 1.5)
    threads = 1 - np.minimum(np.abs(moment.noise(6, (34.0, 5.0), moved=50 * moment.t)) / 0.12, 1)
    near = rise(now, 0.1, 0.3) * (1 - rise(now, 0.5, 1.6)) * moment.changed
    return over(shown, FOAM, busy * np.clip(0.5 * line * flecks + 0.14 * threads * near, 0, 0.6))


def surge(picture: np.ndarray, moment: Moment) -> np.ndarray:
    """A tsunami: turbid water that runs up behind a line of foam and draws back."""
    depth = moment.damage.intensity
    most = float(depth.max())
    if most <= 0 or moment.height <= 0:
        return picture
    rough = 0.25 * moment.noise(3, (26.0, 34.0), moved=30 * moment.height)
    rough = rough + 0.12 * moment.noise(4, (8.0, 8.0), moved=30 * moment.height)
    rough = rough + 0.06 * moment.noise(11, (2.5, 2.5), moved=30 * moment.height)
    now = np.where(depth > 0, depth - (1 - moment.height) * most + rough, -1.0)
    sheet = 0.94 * rise(now, 0.0, 0.45)
    standing = (moment.struck < 0) & moment.roofs
    sheet = np.where(standing, sheet * rise(now, 2.5, 4.0), sheet)
    wide = (~moment.changed & (depth > 0.75 * most)).astype(np.float32)
    sea = np.asarray(cv2.GaussianBlur(wide, (0, 0), 9.0 / moment.gsd))
    sheet = sheet * (1 - sea) + 0.7 * min(2.5 * moment.height, 1.0) * sea
    way = 110 * moment.height
    swirl = moment.noise(5, (46.0, 24.0), moved=way) + 0.6 * moment.noise(6, (15.0, 9.0), moved=way)
    tone = 1 + 0.07 * swirl + 0.04 * moment.noise(7, (4.0, 3.0), moved=way)
    shown = over(picture, np.array(SILTY) * tone[..., None], sheet)
    fine = moment.billows(40, 2.6, moved=way)
    froth = moment.billows(30, 9.0, moved=way) * (0.6 + 0.4 * fine)
    threads = np.abs(
        moment.noise(8, (30.0, 7.0), moved=way) + 0.3 * moment.noise(9, (4, 3), moved=way)
    )
    threads = (1 - np.minimum(threads / 0.1, 1)) * rise(swirl, -0.5, 1.5)
    edge = rise(now, 0.0, 0.1) * (1 - rise(now, 0.2, 1.8)) * (1 - 0.7 * sea)
    strong = 1.25 if moment.rising else 0.5
    foam = strong * edge * rise(froth, 0.12, 0.6) + 0.25 * threads * (sheet > 0.3)
    white = np.array(FOAM) * (lit(froth, moment.gsd) * (0.8 + 0.25 * fine))[..., None]
    return over(shown, white, np.clip(foam, 0, 0.88) * (0.55 + 0.45 * fine) * (sheet > 0.02))


def gust(picture: np.ndarray, moment: Moment) -> np.ndarray:
    """A hurricane: bands of rain and spray in the wind, torn pieces behind houses."""
    force = fading(moment.t, 0.03, 0.97, 0.4)
    bands = rise(moment.noise(3, (420.0, 95.0), moved=900 * moment.t), -0.5, 1.3)
    streaks = moment.noise(4, (55.0, 1.6), moved=2400 * moment.t)
    streaks = 0.6 * streaks + 0.6 * moment.noise(5, (22.0, 1.0), moved=3100 * moment.t)
    veil = 0.34 * bands + 0.20 * bands * rise(streaks, -0.3, 1.8)
    shown = over(picture, SPRAY, force * np.clip(veil, 0, 0.6))
    return _flying(shown, moment, reach=45.0, life=0.12)


def _flying(picture: np.ndarray, moment: Moment, *, reach: float, life: float) -> np.ndarray:
    """Pieces that blow away from houses just struck."""
    fresh = np.where(moment.struck >= 0, 1 - np.clip(moment.struck / life, 0, 1), 0)
    if not fresh.any():
        return picture
    trail = np.clip(plume(fresh, moment.along, moment.gsd, reach=reach, spread=0.2), 0, 1)
    shown = over(picture, DUST, 0.35 * trail * (0.5 + 0.5 * moment.billows(50, 9.0, moved=50.0)))
    dark = 0.6 * moment.pieces(8, 2700 * moment.t) * trail
    light = 0.8 * moment.pieces(9, 2700 * moment.t) * trail
    return over(over(shown, (0.24, 0.21, 0.18), dark), (0.84, 0.80, 0.73), light)


def whirl(picture: np.ndarray, moment: Moment) -> np.ndarray:
    """A tornado: a turning disc of dust and pieces, and the dust that it leaves behind."""
    left = np.where((moment.age > 0) & (moment.progress > 0), 1 - moment.age / 0.2, 0)
    strong = rise(moment.damage.intensity, 32.0, 70.0)
    trail = np.clip(left, 0, 1) * strong * moment.billows(20, 22.0, moved=30 * moment.t)
    shown = over(picture, DUST, np.clip(0.5 * trail, 0, 0.5))
    if moment.centre is None:
        return shown
    core = float(moment.damage.parameters.get("core_radius", 45.0)) / moment.gsd
    return _vortex(shown, moment, moment.centre, core)


def _vortex(
    picture: np.ndarray, moment: Moment, centre: tuple[float, float], core: float
) -> np.ndarray:
    """A cloud of dust that turns about ``centre``; ``core`` in pixels."""
    y, x = (np.arange(n, dtype=np.float32) for n in moment.shape)
    dx, dy = x[None] - centre[0], y[:, None] - centre[1]
    r = np.hypot(dx, dy) / (1.15 * core)
    turn = np.arctan2(dy, dx) + 0.8 * np.log(np.maximum(r, 0.08)) + 26 * moment.t
    cloud = np.zeros(moment.shape, np.float32)
    for k, share in enumerate((0.5, 0.3, 0.2)):
        spokes, rings = 10 * 2**k, 6 * 2**k
        rng = np.random.default_rng((moment.seed, 64, k))
        values = rng.standard_normal((40 * 2**k, spokes), dtype=np.float32)
        knots = np.pad(values, ((2, 2), (2, 2)), mode="wrap")
        around = (turn / (2 * np.pi) * spokes % spokes + 2).astype(np.float32)
        out = np.clip(r * rings, 0, 40 * 2**k - 1).astype(np.float32) + 2
        noise = cv2.remap(knots, around, out, cv2.INTER_CUBIC)
        cloud += share * np.minimum(np.abs(noise) / 1.6, 1)
    cloud = np.asarray(0.5 * cloud + 0.55 * moment.billows(20, 17.0, moved=60 * moment.t))
    alpha = 3.2 * np.exp(-((r * (1.25 - 0.5 * cloud)) ** 2)) * (0.25 + 1.0 * cloud)
    tone = lit(cloud, moment.gsd) * (1 - 0.3 * np.exp(-((r / 0.3) ** 2)))
    alpha = np.clip(alpha, 0, 0.96) * fading(moment.t, 0.0, 1.0, 0.1)
    shown = over(picture, np.array(EARTH) * tone[..., None], alpha)
    flying = np.exp(-((r / 1.25) ** 4))
    shown = over(shown, (0.2, 0.17, 0.14), 0.7 * flying * moment.pieces(8, 2500 * moment.t))
    return over(shown, (0.85, 0.81, 0.74), 0.8 * flying * moment.pieces(9, 2700 * moment.t))


def erupt(picture: np.ndarray, moment: Moment) -> np.ndarray:
    """An eruption: a haze of falling ash, and the cloud that rolls over a flow."""
    falling = fading(moment.t, 0.0, 0.97, 0.25)
    haze = moment.noise(3, (180.0, 110.0), moved=350 * moment.t)
    flakes = moment.pieces(4, 400 * moment.t) + moment.pieces(5, 520 * moment.t)
    veil = falling * np.clip(0.28 + 0.12 * haze + 0.22 * flakes, 0, 0.6)
    shown = over(picture, GREY_ASH, veil)
    passing = rise(moment.age, -0.02, 0.0) * (1 - rise(moment.age, 0.05, 0.2))
    source = passing * (moment.damage.intensity > 2.0)
    if not source.any():
        return shown
    cloud = plume(source, moment.along, moment.gsd, reach=30.0, spread=0.35) / 4
    shape = moment.billows(10, 30.0, moved=160 * moment.t)
    alpha = np.clip(2.6 * cloud * (0.2 + 1.3 * shape), 0, 0.97)
    return over(shown, np.array(CLOUD) * lit(shape, moment.gsd)[..., None], alpha)


def smother(picture: np.ndarray, moment: Moment) -> np.ndarray:
    """An earthquake: dust over the houses that fall, which spreads, drifts and settles."""
    struck, total = moment.struck, np.zeros(moment.shape, np.float32)
    for low in np.arange(0, DUSTY, DUSTY / 6):
        among = (struck >= low) & (struck < low + DUSTY / 6)
        if among.any():
            wide = 3.0 + 40 * low
            puff = plume(among * 1.0, moment.along, moment.gsd, reach=90 * low + 4, spread=0.25)
            puff = cv2.GaussianBlur(puff, (0, 0), wide / moment.gsd / 2)
            total += puff * (1 - low / DUSTY) ** 1.5
    shape = moment.billows(10, 13.0, moved=70 * moment.t)
    alpha = 1 - np.exp(-0.5 * total * (0.1 + 1.2 * shape))
    settle = fading(moment.t, 0.0, 1.0, 0.08)
    return over(picture, np.array(DUST) * lit(shape, moment.gsd)[..., None], 0.85 * settle * alpha)
