"""What a picture is asked to show: one record, each part of which may be missing."""

from afterscene.conditioning.condition import HAZARD_NAMES, STYLE_SIZE, Condition

__all__ = ["HAZARD_NAMES", "STYLE_SIZE", "Condition"]
