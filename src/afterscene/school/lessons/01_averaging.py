# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 01 The average picture
#
# We want a machine that draws an overhead picture of a given kind. The first idea is the one that
# works for labels: show it many examples, let it answer, punish the square of the error.
#
# For a **label** the best answer under squares is a mean of votes, and a mean of votes is a
# probability: it makes sense. For a **picture** the best answer is the mean of all pictures that
# could have been meant. Roofs, roads and trees lie elsewhere in each, so their mean is fog.

# %%
import torch

from afterscene.school import lesson
from afterscene.school.autoregression import (
    AveragingRegressor,
    FitConfig,
    average_pictures,
    dequantize,
    quantize,
    train_steps,
)

LEVELS = 256
SIZE = lesson.budget(32, 16)
data, test = lesson.pictures(SIZE, lesson.budget(2400, 320)).split(lesson.budget(400, 80))
lesson.note(f"{len(data.x)} pictures of {SIZE} pixels a side, {data.source}: {data.names}")

# %% [markdown]
# ## Averaging labels works
#
# Nine weak observers each see nine random pixels and name the kind whose mean colours are nearest.
# Their averaged vote is compared with the single observers, on held-out crops. (Lessons cut all
# crops from the same photographs, so a held-out crop may overlap with one that was learned from.)

# %%
generator = torch.Generator().manual_seed(0)
classes = len(data.names)
votes, single = torch.zeros(len(test.x), classes), []
for _ in range(9):
    seen = torch.randperm(SIZE * SIZE, generator=generator)[:9]
    known, asked = (p.x.flatten(2)[:, :, seen].mean(dim=2) for p in (data, test))
    means = torch.stack([known[data.label == k].mean(dim=0) for k in range(classes)])
    answer = torch.cdist(asked, means).argmin(dim=1)
    single.append((answer == test.label).float().mean().item())
    votes += torch.nn.functional.one_hot(answer, classes) / 9
together = (votes.argmax(dim=1) == test.label).float().mean().item()
alone = sum(single) / 9
lesson.note(f"right answers: one observer {alone:.1%} on average, nine averaged {together:.1%}")
if together <= alone:
    lesson.note("Here averaging did not help: the story asks for more pictures than this run had.")

# %% [markdown]
# ## Averaging pictures does not
#
# The regressor is a table: one picture per label. No model that is given only the label can do
# better under squares. Training takes it to the mean of each label, as the closed form says.

# %%
values = quantize(data.x, LEVELS)
model = AveragingRegressor(classes=classes, channels=3, size=(SIZE, SIZE), levels=LEVELS)
config = FitConfig(steps=lesson.budget(600, 150), batch=64, lr=0.05)
losses, states = [], []
for step, value in enumerate(train_steps(model, values, config, label=data.label)):
    losses.append(value)
    if step % (config.steps // 25) == 0:
        states.append(dequantize(model.sample(classes, label=torch.arange(classes)), LEVELS))
closed = average_pictures(values, data.label, classes=classes, levels=LEVELS)
gap = (model.table.detach() - closed).abs().mean().item()
lesson.note(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}; distance to the closed form {gap:.3f}")

# %%
drawn = dequantize(model.sample(classes, label=torch.arange(classes)), LEVELS)
lesson.animation("01_averaging", [*states, drawn])
for index, name in enumerate(data.names):
    examples = data.x[data.label == index]
    real = torch.cat([examples.diff(dim=2).flatten(), examples.diff(dim=3).flatten()]).abs().mean()
    fog = (drawn[index].diff(dim=1).abs().mean() + drawn[index].diff(dim=2).abs().mean()) / 2
    lesson.note(f"{name}: neighbours differ by {real:.3f} in pictures, by {fog:.3f} in the answer")

# %%
rows = [
    (f"{name}\n4 examples | answer", torch.cat([data.x[data.label == k][:4], drawn[k : k + 1]]))
    for k, name in enumerate(data.names)
]
lesson.figure("01_averaging", rows)

# %% [markdown]
# Four examples of each kind, and on the right the answer. The colour is right, everything else is
# gone. The animation shows the answers while they are learned: there is no other process here,
# since the picture comes in one piece.
#
# In figures, too, this is the worst way to draw: in the league, after 120 seconds of training each,
# the fog lies at a Fréchet distance of 1791 from real pictures and the eight other methods that
# were measured with it at 1236 to 1601. Only next pixel without dice, which averages in its own
# way, lies further off (1844).
#
# What follows in the course are ways not to answer everything at once: one pixel after the other
# (03), pixels that are far apart together (04), and a little less noise everywhere (05).
