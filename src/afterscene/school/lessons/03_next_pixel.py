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
import re

import numpy as np
import torch

from afterscene.gbd.captions import HIT, QUARTERS, Facts, captions
from afterscene.geodata.damage import DamageLevel
from afterscene.hazards import HAZARDS
from afterscene.school import lesson
from afterscene.school.autoregression import (
    Alphabet,
    FitConfig,
    MultiScalePixelCNN,
    NextPixel,
    NextPixelConfig,
    NextToken,
    NextTokenConfig,
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
# value on held-out crops (uniform guessing costs 4 bits here). A deep network needs more
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
        lesson.note(f"{name}: {bits:.2f} bits per value on held-out crops")

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
    lesson.note(f"two scales: {bits:.2f} bits per value on held-out crops")

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
#
# ## The next character
#
# A text is drawn by the same rule, character by character. GPT-2 (Radford et al. 2019) is this with
# 1.5 billion weights and pieces of words; here it is a hundred thousand weights and the captions
# that this package writes for its image pairs. A transformer takes the place of the window: each
# character looks at those before it and chooses which of them matter.

# %%
rng = np.random.default_rng(0)
texts: list[str] = []
for seed in range(lesson.budget(2000, 300)):
    facts = Facts(
        hazard=str(rng.choice(list(HAZARDS))),
        levels={level: int(rng.integers(60)) for level in (DamageLevel.NO_DAMAGE, *HIT)},
        quarters={str(rng.choice(QUARTERS)): 1},
    )
    texts += [text for text in captions(facts, seed) if len(text) < 96]
alphabet = Alphabet(texts)
torch.manual_seed(0)
writer = NextToken(NextTokenConfig(tokens=len(alphabet)))
steps = FitConfig(steps=lesson.budget(600, 80), batch=16, lr=3e-3)
losses = list(train_steps(writer, alphabet.rows(texts, 97), steps))
lesson.note(f"{len(texts)} captions, {len(alphabet)} characters; one of them: {texts[2]}")
lesson.note(f"loss {losses[0]:.2f} -> {np.mean(losses[-20:]):.2f} nats a character")

# %% [markdown]
# ## Temperature
#
# Before a character is drawn, the logits are divided by the temperature. At 0 the likeliest
# character is taken, at 1 the probabilities are those of the model, above 1 they are flatter.

# %%
WORD = re.compile(r"[A-Za-z]+")
known = set(WORD.findall(" ".join(texts)))
for temperature in (0.0, 0.5, 1.0, 1.5):
    drawn = writer.sample(100, length=96, seed=1, temperature=temperature)
    written = [alphabet.decode(row).split("\n")[0].strip() for row in drawn]
    words = WORD.findall(" ".join(written))
    right = np.mean([word in known for word in words])
    numbers = [re.findall(r"(\d+) of (\d+) buildings", text) for text in written]
    two = [found for found in numbers if len(found) == 2]
    agree = sum(one[1] == other[1] for one, other in two)
    lesson.note(
        f"temperature {temperature:g}: {len(set(written))} different texts of {len(written)}, "
        f"{right:.0%} of their words are words; of {len(two)} with two totals {agree} agree; "
        f"{written[0]} | {written[1]}"
    )

# %% [markdown]
# As with pixels, the best guess repeats itself, and at too high a temperature the text falls apart.
# And fluent is not true: in a real caption both totals count the same buildings, so they agree.
# Here each number looks like one, and they rarely do. The model has learned how captions sound;
# nothing was said to it about a picture. Lesson 08 says how to tell a model what is to be drawn.
#
# The price is one evaluation per pixel, or per character, in a row: lesson 04 asks whether it must
# be so.
