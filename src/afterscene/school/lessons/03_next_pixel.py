# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 03 The next pixel
#
# The average of all pictures is fog because too much was open. If all pixels but one are known,
# little is open: the next pixel is nearly determined by those above and to the left. So draw
# pixel after pixel, each one from a network that sees the earlier ones.
#
# Two questions decide what comes out. Does the network answer **one value** (a regressor) or **a
# probability for each value** (a classifier)? And do we take its **best guess** or **throw the
# dice**?

# %%
import torch

from afterscene.school import lesson
from afterscene.school.autoregression import (
    FitConfig,
    MultiScalePixelCNN,
    NextPixel,
    NextPixelConfig,
    PixelCNNModel,
    bits_per_value,
    dequantize,
    quantize,
    train_steps,
)
from afterscene.school.networks.pixelcnn import PixelCNNConfig

LEVELS = 16
SIZE = lesson.budget(24, 12)
data, test = lesson.pictures(SIZE, lesson.budget(2400, 240)).split(40)
values, unseen = quantize(data.x, LEVELS), quantize(test.x, LEVELS)
lesson.note(f"{len(values)} pictures of {SIZE} pixels a side with {LEVELS} levels, {data.source}")

# %% [markdown]
# ## A window, a regressor, a classifier
#
# Both read the same window of earlier pixels. The regressor is trained with squares, the
# classifier with the likelihood; inside a pixel red is drawn first, then green, then blue.

# %%
models = {}
for kind in ("mean", "class"):
    torch.manual_seed(0)
    config = NextPixelConfig(
        levels=LEVELS, reach=lesson.budget(6, 3), width=lesson.budget(128, 32), kind=kind
    )
    models[kind] = NextPixel(config)
    steps = FitConfig(steps=lesson.budget(200, 60), batch=16, lr=3e-3)
    losses = list(train_steps(models[kind], values, steps))
    lesson.note(f"{kind}: loss {losses[0]:.3f} -> {sum(losses[-10:]) / 10:.3f}")

# %% [markdown]
# ## PixelCNN: the same rule, a deep network
#
# Masked convolutions see everything before a pixel, not just a window, and still train on all
# pixels at once. Both classifiers give an exact likelihood, so they can be compared in bits per
# value on pictures they never saw (uniform guessing costs 4 bits here). A deep network needs more
# training than the window: at the small budget of this lesson it may well come out behind.

# %%
torch.manual_seed(0)
deep = PixelCNNModel(
    PixelCNNConfig(levels=LEVELS, width=lesson.budget(36, 12), layers=lesson.budget(5, 2))
)
losses = list(train_steps(deep, values, FitConfig(steps=lesson.budget(180, 30), batch=16, lr=3e-3)))
with torch.no_grad():
    for name, model in (("window", models["class"]), ("PixelCNN", deep)):
        bits = bits_per_value(model.log_prob(unseen), unseen).mean()
        lesson.note(f"{name}: {bits:.2f} bits per value on pictures it never saw")

# %% [markdown]
# ## PixelCNN on several scales
#
# First a small PixelCNN draws every second pixel, then a second one draws those between, in rows
# again, but now it sees the whole coarse picture while it begins: the plan comes before the detail.
# The coarse picture is a part of the fine one, so the likelihood stays exact.

# %%
torch.manual_seed(0)
scales = MultiScalePixelCNN(
    PixelCNNConfig(levels=LEVELS, width=lesson.budget(30, 12), layers=lesson.budget(5, 2)),
    context=lesson.budget(24, 8),
)
losses = list(
    train_steps(scales, values, FitConfig(steps=lesson.budget(120, 30), batch=16, lr=3e-3))
)
with torch.no_grad():
    bits = bits_per_value(scales.log_prob(unseen), unseen).mean()
    lesson.note(f"two scales: {bits:.2f} bits per value on pictures they never saw")

# %% [markdown]
# ## Guess or dice
#
# The upper half is real, the lower half is drawn.

# %%
COUNT, HALF = 6, SIZE // 2
start = unseen[:COUNT]


def go_on(model: NextPixel, temperature: float) -> torch.Tensor:
    """Pictures that keep the upper half of ``start``."""
    size = (SIZE, SIZE)
    options = {"rows_given": HALF, "temperature": temperature}
    return dequantize(model.sample(COUNT, size, start=start, seed=1, **options), LEVELS)


rows = {
    "real": dequantize(start, LEVELS),
    "regressor": go_on(models["mean"], 0.0),
    "classifier,\nbest guess": go_on(models["class"], 0.0),
    "classifier,\ntemperature 0.7": go_on(models["class"], 0.7),
    "classifier,\nsampled": go_on(models["class"], 1.0),
}
distance = {
    name.replace("\n", " "): lesson.texture_distance(x[:, :, HALF:], rows["real"][:, :, HALF:])
    for name, x in rows.items()
}
for name, value in distance.items():
    lesson.note(f"{name}: texture distance of the lower half {value:.4f}")
best = min(list(distance)[1:], key=distance.__getitem__)
lesson.note(f"Closest to the real texture: {best}.")
if distance["classifier, sampled"] > distance["regressor"]:
    lesson.note("Sampling lost against the regressor here: this run was too short for the story.")

# %%
from_nothing = [dequantize(x, LEVELS) for x in deep.walk(COUNT, (SIZE, SIZE), seed=2)]
rows["PixelCNN,\nfrom nothing"] = from_nothing[-1]
lesson.animation("03_pixelcnn", from_nothing)
coarse_first = [dequantize(x, LEVELS) for x in scales.walk(COUNT, (SIZE, SIZE), seed=2)]
rows["PixelCNN of two scales"] = coarse_first[-1]
lesson.animation("03_multi_scale", coarse_first)
guess, dice = (
    models["class"].walk(
        3, (SIZE, SIZE), start=start[:3], rows_given=HALF, seed=1, temperature=temperature
    )
    for temperature in (0.0, 1.0)
)
both = (torch.cat(pair) for pair in zip(guess, dice, strict=True))
lesson.animation("03_next_pixel", (dequantize(x, LEVELS) for x in both))
lesson.figure("03_next_pixel", list(rows.items()))

# %% [markdown]
# Three ways of drawing move above: PixelCNN row by row, two scales (first every second pixel, then
# the others), and the window that goes on with a real upper half, by best guess in the three
# pictures on the left, by dice in the three on the right.
#
# The best guess of each pixel is a fine answer to a question nobody asked: it is most likely that
# the next pixel looks like its neighbour, so the guess runs on in flat streaks. Dice make texture.
# The price is one evaluation per pixel, in a row: lesson 04 asks whether it must be so.
