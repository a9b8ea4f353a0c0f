"""Experiments: what synthetic pairs are worth, measured fairly and shown on one page.

``gain`` trains the same detector with and without synthetic pairs and compares the scores with an
interval; ``check_leaks`` keeps evaluation tiles out of the training; ``write_report`` makes the
page. This is the only place where detectors and generated pairs meet.
"""

from afterscene.experiments.bootstrap import Interval
from afterscene.experiments.gain import ArmResult, GainPlan, GainResult, gain
from afterscene.experiments.gain_report import gain_report, gain_table, pair_row, picture_rows
from afterscene.experiments.leaks import check_leaks
from afterscene.experiments.pictures import paint_damage
from afterscene.experiments.report import (
    Chart,
    Picture,
    PictureRow,
    Report,
    Section,
    Table,
    write_report,
)
from afterscene.experiments.runs import Arm

__all__ = [
    "Arm",
    "ArmResult",
    "Chart",
    "GainPlan",
    "GainResult",
    "Interval",
    "Picture",
    "PictureRow",
    "Report",
    "Section",
    "Table",
    "check_leaks",
    "gain",
    "gain_report",
    "gain_table",
    "paint_damage",
    "pair_row",
    "picture_rows",
    "write_report",
]
