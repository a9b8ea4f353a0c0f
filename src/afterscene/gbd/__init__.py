"""Global Building Damage: plan, build and verify sets of synthetic pairs in xBD's layout."""

from afterscene.gbd.build import build, find_sources
from afterscene.gbd.pair import Rendering
from afterscene.gbd.plan import Item, Plan, Source
from afterscene.gbd.runs import RunOptions, RunReport, check_sources
from afterscene.gbd.scenes import Strike, match_labels, synthesize
from afterscene.gbd.verify import Verdict, verify

__all__ = [
    "Item",
    "Plan",
    "Rendering",
    "RunOptions",
    "RunReport",
    "Source",
    "Strike",
    "Verdict",
    "build",
    "check_sources",
    "find_sources",
    "match_labels",
    "synthesize",
    "verify",
]
