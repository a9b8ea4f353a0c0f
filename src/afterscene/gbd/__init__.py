"""Global Building Damage: plans, builds and verifies sets of synthetic pairs in xBD's layout."""

from afterscene.gbd.build import build
from afterscene.gbd.draw import draw_plan, plan_each
from afterscene.gbd.generator import Generator, load_generator
from afterscene.gbd.pair import Rendering
from afterscene.gbd.plan import Item, Plan, PlanConfig, Source, Told
from afterscene.gbd.planfile import read_plan, write_plan
from afterscene.gbd.runs import RunOptions, RunReport
from afterscene.gbd.selection import select_sources
from afterscene.gbd.sources import find_sources, match_labels
from afterscene.gbd.verify import Verdict, verify

__all__ = [
    "Generator",
    "Item",
    "Plan",
    "PlanConfig",
    "Rendering",
    "RunOptions",
    "RunReport",
    "Source",
    "Told",
    "Verdict",
    "build",
    "draw_plan",
    "find_sources",
    "load_generator",
    "match_labels",
    "plan_each",
    "read_plan",
    "select_sources",
    "verify",
    "write_plan",
]
