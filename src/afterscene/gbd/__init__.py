"""Global Building Damage: plan, build and verify sets of synthetic pairs in xBD's layout."""

from afterscene.gbd.build import build, build_stored, find_sources, make_tile
from afterscene.gbd.campaign import Campaign, make_plan
from afterscene.gbd.pair import Rendering
from afterscene.gbd.plan import Item, Plan, Source
from afterscene.gbd.planfile import StoredPlan, write_plan
from afterscene.gbd.runs import RunOptions, RunReport, check_sources
from afterscene.gbd.scenes import Strike, match_labels, synthesize
from afterscene.gbd.verify import Verdict, verify

__all__ = [
    "Campaign",
    "Item",
    "Plan",
    "Rendering",
    "RunOptions",
    "RunReport",
    "Source",
    "StoredPlan",
    "Strike",
    "Verdict",
    "build",
    "build_stored",
    "check_sources",
    "find_sources",
    "make_plan",
    "make_tile",
    "match_labels",
    "synthesize",
    "verify",
    "write_plan",
]
