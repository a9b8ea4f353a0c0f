# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # Your own image: from before to after
#
# You have an overhead image and the outlines of its buildings. You want to see what a wildfire, a
# flood or a tornado could leave of it, with a label that says how badly each building is damaged.
#
# This notebook does it with one of the eight images in the package. They are synthetic: no such
# town exists. At the end you put in your own image.

# %%
from collections import Counter
from pathlib import Path

import numpy as np

from afterscene import generators, samples
from afterscene.geodata.damage import rasterize
from afterscene.geodata.scene import Scene, write_scene
from afterscene.hazards import make_hazard
from afterscene.pages.pair import show_pair
from afterscene.pages.pictures import paint_damage
from afterscene.school import lesson

print(f"samples: {', '.join(samples.names())}")
pre, buildings = samples.read_sample("suburb")
print(f"{len(buildings)} buildings on {pre.shape[1]} x {pre.shape[0]} pixels")

# %% [markdown]
# ## Which building suffers what
#
# A hazard is physics first: how hot, how deep or how fast it gets at each place. A fragility curve
# then turns this into a damage level for each building. `severity` goes from 0 (nothing happens)
# to 1; the seed decides where the fire starts and what else is left to chance.

# %%
wildfire = make_hazard("wildfire", 0.4)
damage = wildfire(pre, buildings, np.random.default_rng(1))
levels = Counter(building.level.word for building in damage.buildings if building.level)
for word, count in levels.items():
    print(f"{word}: {count} buildings")

# %% [markdown]
# The plan as a map. Drag the divider, or use the arrow keys. Blue is no damage, yellow minor,
# orange major, red destroyed.


# %%
def as_map(struck) -> Scene:
    """The levels as colours on the grey image."""
    return Scene.of_rgb(paint_damage(rasterize(struck, pre.shape), pre.rgb()))


show_pair(pre, as_map(damage.buildings), words=("before", "planned damage"))

# %% [markdown]
# ## The image after
#
# The diffusion model in the package draws what the plan says. Outside the affected area the image
# stays as it was, to the bit. A scene of this size takes some seconds on a processor.

# %%
STEPS = 2 if lesson.SMALL else None  # network evaluations; None: as many as the model needs
generator = generators.load("default")
post = generator.render(pre, damage, seed=1, steps=STEPS)
show_pair(pre, post)

# %% [markdown]
# The same town after a flood. Only the hazard and the seed have changed.

# %%
flood = make_hazard("flood", 0.8)(pre, buildings, np.random.default_rng(2))
levels = Counter(building.level.word for building in flood.buildings if building.level)
print(", ".join(f"{word} {count}" for word, count in levels.items()))
wet = generator.render(pre, flood, seed=2, steps=STEPS)
show_pair(pre, wet, words=("before", "after a flood"))

# %% [markdown]
# ## Keep it, and say what it is
#
# A made-up disaster must not be taken for a real one. Write into the file that it is synthetic.

# %%
path = Path("post.png")
write_scene(post, path, tags={"AFTERSCENE_SYNTHETIC": "true"})
print(f"wrote {path}, {path.stat().st_size // 1000} kB")

# %% [markdown]
# ## Now with your image
#
# Replace the line with `samples.read_sample`. An image is a GeoTIFF, a PNG or a JPEG; its
# footprints are an xBD label:
#
# ```python
# from afterscene.geodata.scene import read_scene
# from afterscene.geodata.xbd import read_label
#
# pre = read_scene(Path("town.tif"))
# buildings = read_label(Path("town.json")).buildings
# ```
#
# From the command line, with the label, the target and the provenance of each pair written beside
# the image:
#
# ```
# afterscene synthesize town.tif --labels town.json --hazard wildfire --severity 0.4 --out out
# ```
#
# What to look at before you trust the result: does the damaged roof still look like that roof? Is
# the light the same? Is every building that the plan calls destroyed gone? The next notebook asks a
# detector this last question.
