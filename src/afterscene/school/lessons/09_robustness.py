# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 09 Robustness: the misspelt disaster
#
# A generator that is told in words what to draw ("a town after a wildfire") is told so by people,
# and people misspell. Three families: **typing errors** (wildfir, wildifre), **look-alike letters**
# (an і of another script, which no eye sees) and **sound-alikes** (wyldfire). A person reads all of
# them without trouble.
#
# Earlier work asks whether the *picture* changes (Gao et al. 2023, arXiv 2306.13103). For disasters
# that is the wrong question. What counts is the **damage**: a detector will learn from these
# pictures, and a label that says "wildfire" beside an undamaged town is worse than no picture. So
# we measure the damage that an assessor finds in the drawing.

# %%
import zlib
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F

from afterscene.diffusion import grids
from afterscene.diffusion.denoisers import Preconditioned
from afterscene.diffusion.losses import WEIGHTS, denoising_loss, log_normal_times
from afterscene.diffusion.samplers import Heun, sample, trajectory
from afterscene.diffusion.schedules import EDM
from afterscene.hazards.flood import Flood
from afterscene.hazards.tornado import Tornado
from afterscene.hazards.wildfire import Wildfire
from afterscene.networks.unet import UNet, UNetConfig
from afterscene.school import lesson
from afterscene.school.autoregression import FitConfig, train_steps
from afterscene.school.robustness import ATTACKS, SpellCheck, rank_words, struck_crops, worst_case

# %% [markdown]
# ## Pairs with a sentence
#
# The samples of the package, each struck by a disaster or by none; crops before and after, which
# pixels of buildings are damaged (level 2 or more), and the sentence that says what happened.

# %%
SIZE = lesson.budget(32, 16)
HAZARDS = (Wildfire.name, Flood.name, Tornado.name)
PROMPTS = {name: f"a town after a {name} seen from above" for name in HAZARDS}
PROMPTS["nothing"] = "a town on a quiet day seen from above"
names = list(PROMPTS)
crops = struck_crops(names, places=lesson.budget(8, 1), size=SIZE, each=lesson.budget(60, 18))
before, after, damaged, label = crops.before, crops.after, crops.damaged, crops.label
HELD = len(label) // 5
for index, name in enumerate(names):
    share = damaged[label == index].mean().item()
    lesson.note(f"{(label == index).sum()} crops of '{name}', {share:.1%} of their pixels damaged")

# %% [markdown]
# ## The assessor
#
# A small U-Net looks at both pictures and says for each pixel whether a damaged building stands
# there. It never sees a sentence and never sees a drawing of the generator.

# %%
torch.manual_seed(0)
assessor = UNet(
    UNetConfig(channels_in=6, channels_out=1, widths=(24, 48), depths=(1, 1), embedding=32)
)
pairs = torch.cat([before, after, damaged], dim=1)


def found_by(pair: torch.Tensor) -> torch.Tensor:
    """Probability of damage ``(N, 1, H, W)`` from both pictures ``(N, 6, H, W)``."""
    return assessor(pair, torch.zeros(len(pair))).sigmoid()


def assess(x, _, rng):
    """Cross entropy of the damaged pixels."""
    return F.binary_cross_entropy(found_by(x[:, :6]), x[:, 6:])


steps = FitConfig(steps=lesson.budget(400, 30), batch=lesson.budget(32, 16), lr=3e-3)
list(train_steps(assessor, pairs[:-HELD], steps, loss=assess))
with torch.no_grad():
    seen = found_by(pairs[-HELD:, :6]).mean(dim=(1, 2, 3))
    truth = damaged[-HELD:].mean(dim=(1, 2, 3))
    agree = torch.stack([seen, truth]).corrcoef()[0, 1].nan_to_num()
lesson.note(f"assessor on held-out crops: correlation with the true damage {agree:.2f}")

# %% [markdown]
# ## Two ways to read a sentence
#
# - by **words**: each word has a vector of its own. A misspelt word is another word, one that was
#   never seen in training;
# - by **pieces**: a word is the sum of the vectors of its three-letter pieces, so that a misspelt
#   word keeps most of them.
#
# The vectors are random and fixed (a checksum of the word is the seed), and the network learns what
# they mean. Real encoders cut words into pieces as well and lie somewhere between the two.

# %%
DIM = 48


def vector(piece: str) -> np.ndarray:
    """The fixed random vector of a word or a piece."""
    return np.random.default_rng(zlib.crc32(piece.encode())).standard_normal(DIM)


def by_words(prompt: str) -> torch.Tensor:
    return torch.tensor(np.mean([vector(w) for w in prompt.split()], axis=0)).float()


def by_pieces(prompt: str) -> torch.Tensor:
    padded = [f"#{word}#" for word in prompt.split()]
    pieces = [[vector(w[k : k + 3]) for k in range(len(w) - 2)] for w in padded]
    return torch.tensor(np.mean([np.mean(p, axis=0) for p in pieces], axis=0)).float()


READERS = {"words": by_words, "pieces": by_pieces}

# %% [markdown]
# ## One generator for each
#
# The picture before goes in as three channels, the sentence as a vector; the rest is lesson 08.


# %%
class Told(torch.nn.Module):
    """``network(x, clock, (before, sentence))``."""

    def __init__(self) -> None:
        super().__init__()
        widths = (lesson.budget(40, 24), lesson.budget(80, 32))
        config = UNetConfig(
            channels_in=6, channels_out=3, widths=widths, depths=(1, 2), embedding=64, vector=DIM
        )
        self.unet = UNet(config)

    def forward(self, x, clock, condition):
        picture, sentence = condition
        return self.unet(torch.cat([x, picture], dim=1), clock, vector=4 * sentence)


schedule, SIGMA = EDM(), after.std().item()


def train(reader) -> Preconditioned:
    """A generator that reads its sentences by ``reader``."""
    torch.manual_seed(0)
    denoiser = Preconditioned(Told(), sigma_data=SIGMA)
    sentences = torch.stack([reader(PROMPTS[name]) for name in names])

    def loss(x, index, rng):
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        t = schedule.at(log_normal_times(schedule, len(x), generator))
        eps = torch.randn(x[:, 3:6].shape, generator=generator)
        told = (x[:, :3], sentences[index])
        weight = WEIGHTS["edm"](sigma_data=SIGMA)
        return denoising_loss(denoiser, x[:, 3:6], t, eps, weight=weight, condition=told).mean()

    config = FitConfig(steps=lesson.budget(450, 40), batch=lesson.budget(32, 16), lr=3e-3)
    losses = list(train_steps(denoiser, pairs[:-HELD], config, label=label[:-HELD], loss=loss))
    lesson.note(f"loss {np.mean(losses[:20]):.3f} -> {np.mean(losses[-20:]):.3f}")
    return denoiser


models = {name: train(reader) for name, reader in READERS.items()}

# %% [markdown]
# ## The figure: recovered damage
#
# Twelve places, the same noise for every sentence: what differs comes from the spelling alone. To
# show how much of the figure is chance, the clean sentence is also drawn with other noise.

# %%
COUNT = lesson.budget(12, 3)
places = before[-HELD:][:COUNT]
times = grids.karras(schedule, lesson.budget(8, 4))


def noise_of(seed: int) -> torch.Tensor:
    return 80 * torch.randn(places.shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def draw(reader: str, prompt: str, seed: int = 1) -> torch.Tensor:
    """The places after what the sentence says."""
    sentence = READERS[reader](prompt).expand(COUNT, -1)
    told = (places, sentence)
    drawn = sample(models[reader], schedule, noise_of(seed), times, Heun(), condition=told)
    return drawn.clamp(-1, 1)


@torch.no_grad()
def recovered(reader: str, prompt: str, seed: int = 1) -> float:
    """Mean probability of damage that the assessor finds, in percent of the pixels."""
    return 100 * found_by(torch.cat([places, draw(reader, prompt, seed)], dim=1)).mean().item()


clean, chance = {}, {}
for reader in READERS:
    for name in names:
        seeds = range(1, lesson.budget(4, 3))
        over_seeds = [recovered(reader, PROMPTS[name], seed) for seed in seeds]
        clean[reader, name] = over_seeds[0]
        chance[reader, name] = max(over_seeds) - min(over_seeds)
    listed = ", ".join(f"{n} {clean[reader, n]:.1f}%" for n in names)
    spread = max(chance[reader, n] for n in names)
    lesson.note(
        f"read by {reader}, clean: {listed}; other noise moves this by at most {spread:.1f}"
    )

# %% [markdown]
# Which word carries the disaster? We leave out each one in turn.

# %%
for reader in READERS:
    ranked = rank_words(PROMPTS[Wildfire.name], partial(recovered, reader))
    listed = ", ".join(f"{word} {change:+.1f}" for word, change in ranked[:3])
    lesson.note(f"read by {reader}, the three words that count most: {listed}")

# %% [markdown]
# ## Attack and defence
#
# For each attack the worst of a few spellings of *wildfire* within 30% of its letters, found
# without looking into the model (`worst_case`). The defence is a spell check that knows the words
# of the training sentences. It costs nothing, and it must be measured, too.

# %%
words = [w for prompt in PROMPTS.values() for w in prompt.split()]
check = SpellCheck(vocabulary=(*HAZARDS, *dict.fromkeys(words)))
target = PROMPTS[Wildfire.name]
worst, rows = {}, [("before", places[:6]), ("real, after\na disaster", after[-HELD:][:6])]
TRIES = lesson.budget(6, 1)
for reader in READERS:
    for name, attack in ATTACKS.items():
        measure, chosen = partial(recovered, reader), np.random.default_rng(3)
        hit = worst_case(target, Wildfire.name, attack, measure, chosen, tries=TRIES)
        worst[reader, name] = hit
        repaired = recovered(reader, check(hit.prompt))
        lesson.note(
            f"read by {reader}, {name}: '{hit.spelling}' {hit.clean:.1f}% -> {hit.figure:.1f}%, "
            f"after the spell check {repaired:.1f}%"
        )
strongest = {r: max(abs(worst[r, name].change) for name in ATTACKS) for r in READERS}
for reader, change in strongest.items():
    noise = chance[reader, Wildfire.name]
    said = "more than" if change > noise else "no more than"
    lesson.note(
        f"read by {reader}: at most {change:.1f} points of change, {said} chance ({noise:.1f})"
    )
if strongest["pieces"] >= strongest["words"]:
    lesson.note("Reading by pieces was no safer than reading by words here.")

# %%
for reader in READERS:
    hit = worst[reader, "glyph"]
    rows += [
        (f"by {reader}:\nwildfire", draw(reader, target)[:6]),
        (f"by {reader}: letters\nthat look alike", draw(reader, hit.prompt)[:6]),
        (f"by {reader}: after\nthe spell check", draw(reader, check(hit.prompt))[:6]),
    ]
lesson.figure("09_robustness", rows)
walks = []
for prompt in (target, worst["words", "glyph"].prompt):
    told = (places[:3], READERS["words"](prompt).expand(3, -1))
    start, model = noise_of(1)[:3], models["words"]
    with torch.no_grad():
        walk = trajectory(model, schedule, start, times, Heun(), condition=told)
        walks.append([state.x for state in walk])
both = (torch.cat([a, b]) for a, b in zip(*walks, strict=True))
lesson.animation("09_robustness", both, pause=250)

# %% [markdown]
# In the animation the three pictures on the left are drawn from the clean sentence, those on the
# right from the same noise and the same sentence with one letter of another script.
#
# What to take home: test a generator with the words that people will type; measure what you need
# (here damage), not only whether the picture changes; report the clean figure and the spread by
# chance beside it; and prefer a condition that cannot be misspelt. This is why
# `afterscene synthesize` takes a damage map and a hazard from a list.
