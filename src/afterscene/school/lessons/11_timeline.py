# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 11 Five families on the same pixels
#
# Four other families of generative models came before diffusion, and each is still in use as a part
# of something larger. Here all five learn from the same small pictures and labels, for the same
# seconds of one processor, and one judge scores them all.
#
# | year | family | how a picture is drawn | its likelihood |
# |---|---|---|---|
# | 2013 | variational auto-encoder (VAE), arXiv 1312.6114 | one evaluation | a bound |
# | 2014 | generative adversarial network (GAN), arXiv 1406.2661 | one evaluation | none |
# | 2014 | normalizing flow, arXiv 1410.8516 | one evaluation of the inverse | exact |
# | 2016 | auto-regression over pixels, arXiv 1601.06759 | one evaluation a pixel | exact |
# | 2020 | diffusion (DDPM), arXiv 2006.11239 | many evaluations | by an ODE |
#
# The comparison is fair in pictures, seconds and judge. It is not fair in two other ways: the
# next-pixel network is far smaller than the others, and the GAN trains two networks of which only
# one draws. And all five are beginners after so little training. This lesson does not say which
# family is best after days on a large machine.

# %%
import time

import torch

from afterscene.lab.features import default_features
from afterscene.metrics.distances import frechet_distance
from afterscene.school import lesson
from afterscene.school.autoregression import FitConfig, dequantize, quantize, train_steps
from afterscene.school.latent import Flow, Gan, Vae, latents
from afterscene.school.league import CONTESTANTS, LeagueConfig
from afterscene.school.league.judge import described

LEVELS, SIZE = 32, lesson.budget(24, 16)
SECONDS, COUNT, FEW = lesson.budget(40, 1), lesson.budget(128, 16), lesson.budget(24, 4)
data, test = lesson.pictures(SIZE, lesson.budget(2800, 240)).split(lesson.budget(400, 60))
values, unseen = quantize(data.x, LEVELS), quantize(test.x, LEVELS)
lesson.note(f"{len(values)} crops of {SIZE} pixels a side with {LEVELS} levels, {data.source}")
lesson.note(f"{SECONDS} seconds of one processor for each family")

# %% [markdown]
# ## The same training time for each
#
# Networks and losses are those of the league (`afterscene course league`).

# %%
sizes = LeagueConfig(
    size=SIZE, levels=LEVELS, width=lesson.budget(24, 12), steps=lesson.budget(50, 8)
)
families = {}
for name in ("vae", "gan", "flow", "next-pixel", "ddpm"):
    torch.manual_seed(0)
    families[name] = family = CONTESTANTS[name](sizes, len(data.names))
    config = FitConfig(
        steps=10**6,
        seconds=SECONDS,
        batch=family.batch,
        lr=family.lr,
        momentum=family.momentum,
    )
    steps = list(train_steps(family.model, values, config, label=data.label, loss=family.loss))
    weights = sum(p.numel() for p in family.model.parameters())
    lesson.note(f"{family.title}: {weights / 1e6:.2f} million weights, {len(steps)} steps")

# %% [markdown]
# ## One judge
#
# Each family draws pictures for the labels of held-out crops. The **Fréchet distance** compares
# drawn pictures with held-out crops in the features of an image classifier (EfficientNet, where the
# extra `encoders` is installed). The **texture distance** compares only the differences between
# neighbouring pixels. **Bits a value** say how well a model predicts held-out crops; uniform
# guessing costs 5.

# %%
space = default_features()
real = described(unseen, LEVELS, space) if space else None


def distance(x: torch.Tensor) -> str:
    """The Fréchet distance to the held-out crops, where there is a feature network."""
    if space is None or real is None:
        return "not measured"
    return f"{frechet_distance(described(x, LEVELS, space), real):.0f}"


drawn, states = {}, {}
labels = test.label[:COUNT]
lesson.note(f"as many training crops: Fréchet distance {distance(values[:COUNT])}")
for family in families.values():
    start = time.process_time()
    states[family.title] = list(family.walk(labels, 1))
    seconds = (time.process_time() - start) / COUNT
    drawn[family.title] = x = states[family.title][-1]
    bits = "none"
    if family.bits is not None:
        with torch.no_grad():
            bits = f"{family.bits(unseen[:FEW], test.label[:FEW]).mean():.2f} ({family.how})"
    far = lesson.texture_distance(dequantize(x, LEVELS), dequantize(unseen, LEVELS))
    lesson.note(
        f"{family.title}: Fréchet distance {distance(x)}, texture distance {far:.4f}, bits {bits}, "
        f"{family.evaluations():g} evaluations in {seconds:.4f} seconds a picture"
    )

# %% [markdown]
# ## What each is good for
#
# The **VAE** encodes a picture as a few numbers, its latent, and decodes the latent into a picture.
# The decoder answers the mean of all pictures that the latent leaves open, so it is smooth: lesson
# 01 again, with much less left open.
#
# The **flow** has a latent, too, but one with as many numbers as the picture has values, and it
# decodes without loss. Latents pulled towards 0 ("temperature" 0.7) give calmer pictures.
#
# The **GAN** has no encoder and takes no mean. Nothing in its loss asks for variety either, so we
# also measure how much two pictures of the same label differ. (Noise raises this figure as well as
# variety does.)

# %%
vae, flow, gan = (families[name].model for name in ("vae", "flow", "gan"))
assert isinstance(vae, Vae) and isinstance(flow, Flow) and isinstance(gan, Gan)
shown, kinds = unseen[:7], test.label[:7]
with torch.no_grad():
    mean, log_variance = vae.encode(shown, kinds)
    through = vae.decode(mean, kinds)
    z, _ = flow.encode(dequantize(shown, LEVELS), kinds)
    back = flow.decode(z, kinds)
    calm = flow.decode(0.7 * latents(1, 7, z.shape[1]), kinds)
picture = dequantize(shown, LEVELS)
kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1).mean() / 0.693
lesson.note(f"the VAE's latent of {mean.shape[1]} numbers holds {kl:.0f} bits of a crop")
lost, most = (through - picture).abs().mean(), (back - picture).abs().max()
lesson.note(f"encoded and decoded by the VAE, a value is off by {lost:.3f} on average")
lesson.note(f"encoded and decoded by the flow, a value is off by at most {most:.0e}")


def variety(x: torch.Tensor) -> float:
    """The root mean square difference of two pictures, averaged over pairs of one label."""
    flat = x.flatten(1)
    apart = torch.cdist(flat, flat) / flat.shape[1] ** 0.5
    same = (labels[:, None] == labels) & ~torch.eye(len(x), dtype=torch.bool)
    return apart[same].mean().item()


for name, x in {"held-out crops": unseen[:COUNT], **drawn}.items():
    lesson.note(f"{name}: two of one kind differ by {variety(dequantize(x, LEVELS)):.2f}")

# %% [markdown]
# ## Five ways to move
#
# In the film the first three families walk in a circle through their latents: one evaluation a
# frame, and each point between two pictures is a picture as well. The last two have no such latent
# here. They are shown while they draw: row by row, and out of noise.

# %%
FRAMES = 24
turn = torch.linspace(0, 2 * torch.pi, FRAMES)
moving = []
with torch.no_grad():
    for model in (vae, gan, flow):
        ends = latents(3, 4, model.config.latent)
        for label, (one, two) in zip(labels[:2], ends.split(2), strict=True):
            way = turn.cos()[:, None] * one + turn.sin()[:, None] * two
            moving.append(model.decode(way, label.expand(FRAMES)))
for name in ("next pixel", "DDPM"):
    chosen = torch.linspace(0, len(states[name]) - 1, FRAMES).round().long().tolist()
    film = torch.stack([dequantize(states[name][k][:2], LEVELS) for k in chosen])
    moving += [film[:, 0], film[:, 1]]
lesson.animation("11_timeline", torch.stack(moving, dim=1), pause=150)
rows = [("real", picture)]
rows += [(name, dequantize(x[:7], LEVELS)) for name, x in drawn.items()]
rows += [("real, encoded and decoded by the VAE", through), ("flow at temperature 0.7", calm)]
lesson.figure("11_timeline", rows)

# %% [markdown]
# The film shows two pictures of each family, from left to right in the order of the table.
#
# When this was written, on real crops, the Fréchet distance was 1086 for next pixel, 1193 for the
# flow, 1225 for DDPM, 1372 for the VAE and 2075 for the GAN; as many training crops had 438. So
# newer was not better here: 40 seconds are enough to see how a family fails, not how far it gets.
#
# - The **VAE** is smooth. Its latent held 42 bits of a crop, which is too little for any detail.
# - The **GAN** has clear edges, but in the film its picture hardly changes: the generator draws
#   nearly one picture for each label and ignores its latent (mode collapse). Two of its pictures
#   with one label differed by 0.16, two held-out crops by 0.45.
# - The **flow** has grain and colours of the right kind, but no objects.
# - **Next pixel** came closest by both distances, with the smallest network. It pays with one
#   evaluation a pixel, and its colours drift: once a strange colour is drawn, more of it follows.
# - **DDPM** was still grainy after 549 training steps.
#
# A good likelihood is not a good picture: the flow predicted held-out crops best (2.05 bits a
# value, next pixel 2.13, DDPM 3.42, the bound of the VAE 3.79), and next pixel drew better ones.
#
# Today the families are combined. Latent diffusion draws in the latent of a VAE whose decoder was
# sharpened by a GAN's loss (Rombach et al. 2022, arXiv 2112.10752); auto-regression writes texts
# (lesson 03). Lesson 12 asks diffusion for what the first three have: a picture in one evaluation.
