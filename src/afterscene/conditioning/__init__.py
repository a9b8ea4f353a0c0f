"""What a picture is asked to show: one record, each part of which may be missing."""

from afterscene.conditioning.condition import STYLE_SIZE, Condition, class_of

__all__ = ["STYLE_SIZE", "Condition", "class_of"]
