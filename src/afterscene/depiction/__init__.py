"""How damage, water, ash and bared trees are painted; no torch.

Painters work on pictures ``(H, W, 3)`` uint8 and a damage map. A hazard composes its
:class:`Depiction` from them.
"""

from afterscene.depiction.aftermath import draw_aftermath
from afterscene.depiction.depiction import Depiction, Painter
from afterscene.depiction.evidence import Evidence
from afterscene.depiction.fire import burn, scorch
from afterscene.depiction.moment import Moment
from afterscene.depiction.overlays import Ash, Water
from afterscene.depiction.passing import blaze, erupt, gust, smother, surge, swell, whirl
from afterscene.depiction.quake import shake
from afterscene.depiction.swept import sweep
from afterscene.depiction.trees import strip
from afterscene.depiction.wind import blow

__all__ = [
    "Ash",
    "Depiction",
    "Evidence",
    "Moment",
    "Painter",
    "Water",
    "blaze",
    "blow",
    "burn",
    "draw_aftermath",
    "erupt",
    "gust",
    "scorch",
    "shake",
    "smother",
    "strip",
    "surge",
    "sweep",
    "swell",
    "whirl",
]
