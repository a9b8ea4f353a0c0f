# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # A damage map: the level of each building
#
# You have two images of one place, before and after a disaster, and the outlines of the buildings.
# The detector in the package gives each building one of the four levels of the Joint Damage Scale.
#
# To have an event at hand, this notebook draws one with the diffusion model. So there is something
# that no real event offers: the level that each building was asked to have. At the end you put in
# your own two images.

# %%
from dataclasses import replace
from pathlib import Path

import numpy as np

from afterscene import generators, samples
from afterscene.detectors import load_assessor
from afterscene.detectors.assess import assess
from afterscene.detectors.assessment import counts, write_layer
from afterscene.geodata.damage import LEVEL_WORDS, rasterize
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.scene import Scene, write_scene
from afterscene.hazards import make_hazard
from afterscene.judging.assessor import AssessorJudge
from afterscene.pages.damage_map import write_map
from afterscene.pages.pair import show_pair
from afterscene.pages.pictures import paint_damage
from afterscene.school import lesson

pre, buildings = samples.read_sample("suburb")
damage = make_hazard("tornado", 0.8)(pre, buildings, np.random.default_rng(2))
STEPS = 2 if lesson.SMALL else None  # network evaluations; None: as many as the model needs
post = generators.load("default").render(pre, damage, seed=2, steps=STEPS)
write_scene(pre, Path("before.png"), tags={"AFTERSCENE_SYNTHETIC": "true"})
write_scene(post, Path("after.png"), tags={"AFTERSCENE_SYNTHETIC": "true"})
show_pair(pre, post)

# %% [markdown]
# ## The levels
#
# From here on there are only two files and the outlines, as in your own case. The detector learned
# from real pairs of xBD alone; it has never seen a synthetic image.

# %%
detector, name = load_assessor()
before, after = ImageFile(Path("before.png")), ImageFile(Path("after.png"))
found = assess(detector, before, after, buildings, before.grid.shape)
for word, count in counts(found).items():
    print(f"{word}: {count} buildings")
unsure = sorted(found, key=lambda one: max(one.probabilities))[0]
chances = ", ".join(f"{w} {p:.0%}" for w, p in zip(LEVEL_WORDS, unsure.probabilities, strict=True))
print(f"the building it is least sure of: {chances}")

# %% [markdown]
# The map over the image: blue is no damage, yellow minor, orange major, red destroyed.

# %%
levelled = [replace(one.building, level=one.level) for one in found]
painted = paint_damage(rasterize(levelled, post.shape), post.rgb())
show_pair(post, Scene.of_rgb(painted), words=("after", "found damage"))

# %% [markdown]
# ## Is it right?
#
# On a real event you check some buildings by eye. Here we know what was asked. The table counts
# buildings: asked level in the rows, found level in the columns.

# %%
table = AssessorJudge(detector)(pre, post, damage)
print("asked".ljust(15) + "".join(word.rjust(15) for word in LEVEL_WORDS))
for word, row in zip(LEVEL_WORDS, table, strict=True):
    print(word.ljust(15) + "".join(str(count).rjust(15) for count in row))
print(f"same level: {np.trace(table)} of {table.sum()}")

# %% [markdown]
# Read such a table with care. It measures two things at once: whether the image shows what was
# asked, and whether the detector sees what the image shows. It says nothing about real events; what
# the detector is worth on those stands in its card (`afterscene models show unet`). Minor and major
# damage are hard to tell apart from above, for people too.
#
# ## Files for a map
#
# A GeoPackage for QGIS, and a page that opens anywhere.

# %%
grid = before.grid
page = write_map(found, grid, before, after, Path("map.html"), source=name)
layer = write_layer(found, grid, Path("map.gpkg"), source=name)
print(f"wrote {page.name} and {layer.name}")

# %% [markdown]
# ## Now with your images
#
# Both images must lie on one grid; `gdalwarp -te -ts` brings one onto the other. Footprints may be
# GeoJSON, GeoPackage, GeoParquet, CSV with WKT or an xBD label. Images may be of any size:
#
# ```
# afterscene assess --pre before.tif --post after.tif --footprints buildings.geojson --out map.gpkg
# ```
#
# The levels are those of a model. Check before anybody acts on them.
