# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 02 What a CNN sees
#
# Drawing begins with seeing. A convolutional network looks at a picture through small windows; each
# layer looks at the answers of the layer before, over a wider piece of ground. VGG (Simonyan and
# Zisserman 2015, arXiv 1409.1556) does it with nothing but 3x3 windows.
#
# We train a narrow one to name the land use of a crop, then ask it two questions: **how do your
# layers respond**, and **which pixels did you look at**?

# %%
import torch
from torch.nn import functional as F

from afterscene.school import lesson
from afterscene.school.autoregression import FitConfig, train_steps
from afterscene.school.networks.vgg import VGG, VGGConfig

SIZE = lesson.budget(48, 32)
data, test = lesson.pictures(SIZE, lesson.budget(2400, 320)).split(lesson.budget(400, 80))
CLASSES = len(data.names)
lesson.note(f"{len(data.x)} pictures of {SIZE} pixels a side, {data.source}: {data.names}")

# %% [markdown]
# ## Learning to name

# %%
torch.manual_seed(0)
config = VGGConfig(
    depth=11, width=lesson.budget(16, 8), classes=CLASSES, head="mean", batch_norm=True
)
network = VGG(config)


def loss(x, label, rng):
    """Cross entropy, with pictures flipped at random: land has no up and down."""
    if rng.random() < 0.5:
        x = x.flip(2)
    if rng.random() < 0.5:
        x = x.flip(3)
    return F.cross_entropy(network(x), label)


steps = FitConfig(steps=lesson.budget(500, 100), batch=32, lr=3e-3)
losses = list(train_steps(network, data.x, steps, label=data.label, loss=loss))
lesson.note(f"loss {losses[0]:.3f} -> {sum(losses[-10:]) / 10:.3f}")
with torch.no_grad():
    answer = network(test.x).argmax(dim=1)
right = (answer == test.label).float().mean().item()
often = test.label.bincount().max().item() / len(test.label)
lesson.note(f"right on held-out crops: {right:.1%} (always the most frequent: {often:.1%})")
for index, name in enumerate(data.names):
    asked = test.label == index
    if asked.any():
        lesson.note(f"  {name}: {(answer[asked] == index).float().mean():.1%} of {asked.sum()}")
if right <= often:
    lesson.note("It learned nothing here: this run was too short for the story.")

# %% [markdown]
# ## How the layers respond
#
# Each map shows the response of one filter all over the picture; bright is strong. Deeper maps are
# coarser: each of their pixels has seen a larger piece of ground.

# %%
COUNT = 6
shown = torch.cat([test.x[test.label == k][: COUNT // CLASSES] for k in range(CLASSES)])[:COUNT]
with torch.no_grad():
    maps = network.activations(shown)


def strongest(activation: torch.Tensor) -> torch.Tensor:
    """The three maps that differ most from place to place, as red, green and blue."""
    spread = activation.std(dim=(0, 2, 3)).topk(3).indices
    chosen = activation[:, spread]
    return chosen / chosen.amax(dim=(0, 2, 3), keepdim=True).clamp_min(1e-9) * 2 - 1


layers = ["conv1_1", "conv2_1", "conv3_2", "conv4_2"]
for name in layers:
    share = (maps[name] > 0).float().mean().item()
    height = maps[name].shape[-1]
    lesson.note(f"{name}: {maps[name].shape[1]} maps of {height} pixels, {share:.0%} not zero")

# %% [markdown]
# ## Which pixels did it look at?
#
# The gradient of the answer with respect to the pixels says where a small change would matter
# (Simonyan et al. 2013, arXiv 1312.6034). Plain gradients are grainy. Averaged over noisy copies
# they are smoother (SmoothGrad, Smilkov et al. 2017, arXiv 1706.03825).


# %%
def gradient(x: torch.Tensor) -> torch.Tensor:
    """Size of the gradient of the winning answer by each pixel: ``(N, 3, H, W) -> (N, H, W)``."""
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(x).amax(dim=1).sum(), x)
    return slope.abs().amax(dim=1)


def as_pictures(size: torch.Tensor) -> torch.Tensor:
    """``(N, H, W)`` as grey pictures, each up to its own largest value."""
    return (size / size.amax(dim=(1, 2), keepdim=True) * 2 - 1)[:, None].expand(-1, 3, -1, -1)


generator = torch.Generator().manual_seed(0)
plain = gradient(shown)
copies = []
for _ in range(lesson.budget(32, 16)):
    noise = 0.2 * torch.randn(shown.shape, generator=generator)
    copies.append(gradient(shown + noise))
smooth = torch.stack(copies).mean(dim=0)

# %% [markdown]
# An explanation is worth something only if it can fail. So we blur the fifth of the pixels that it
# calls most important and, for comparison, a random fifth. If the explanation is right, the first
# hurts the answer more.


# %%
def sureness(x: torch.Tensor) -> float:
    """Mean probability of the answers that were given to the whole pictures."""
    with torch.no_grad():
        given = network(shown).argmax(dim=1)
        return network(x).softmax(dim=1).gather(1, given[:, None]).mean().item()


blurred = F.avg_pool2d(F.pad(shown, (4, 4, 4, 4), mode="reflect"), 9, stride=1)


def without(importance: torch.Tensor) -> torch.Tensor:
    """The pictures with the fifth of largest ``importance (N, H, W)`` blurred."""
    bound = importance.flatten(1).quantile(0.8, dim=1)[:, None, None]
    return torch.where((importance > bound)[:, None], blurred, shown)


random = torch.rand(plain.shape, generator=generator)
whole = sureness(shown)
views = {"gradient": plain, "averaged gradient": smooth, "random pixels": random}
drops = {name: whole - sureness(without(view)) for name, view in views.items()}
lesson.note(f"mean probability of its answers: {whole:.1%}")
for name, drop in drops.items():
    lesson.note(f"with the fifth that '{name}' names blurred: {drop:+.1%} less")
if max(drops["gradient"], drops["averaged gradient"]) <= drops["random pixels"]:
    lesson.note("Here the explanations did no better than chance: do not trust them blindly.")

# %% [markdown]
# ## What would it like to see?
#
# Begin with grey noise and change the picture step by step so that one answer grows. This is the
# crudest generator there is, and a warning: what convinces a classifier need not look like a
# picture.

# %%
wish = 0.1 * torch.randn(CLASSES, 3, SIZE, SIZE, generator=generator)
states = []
for step in range(lesson.budget(60, 20)):
    wish = wish.detach().requires_grad_()
    (slope,) = torch.autograd.grad(network(wish).diagonal().sum(), wish)
    climb = slope / slope.flatten(1).norm(dim=1)[:, None, None, None]
    wish = (wish.detach() + 2.0 * climb).clamp(-1, 1)
    if step % 2 == 0:
        states.append(wish)
with torch.no_grad():
    sure = network(wish).softmax(dim=1).diagonal()
for name, value in zip(data.names, sure, strict=True):
    lesson.note(f"picture made for the answer {name}: the network is {value:.1%} sure")
lesson.animation("02_what_a_cnn_sees", states)
rows = [("pictures", shown)]
rows += [(name, strongest(maps[name])) for name in layers]
rows += [
    ("gradient", as_pictures(plain)),
    ("averaged gradient", as_pictures(smooth)),
    ("most important\nfifth blurred", without(smooth)),
    ("what it would\nlike to see", wish),
]
lesson.figure("02_what_a_cnn_sees", rows)

# %% [markdown]
# A network that sees is half of one that draws. What is missing is a question with an answer: not
# "what would you like?" but "which pixel comes next?" (03), or "what was here before the noise?"
# (05).
