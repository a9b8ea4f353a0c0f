"""What a picture is asked to show: one record, each part of which may be missing; and words."""

from typing import TYPE_CHECKING

from afterscene.lazy import imported_on_demand

if TYPE_CHECKING:
    from afterscene.conditioning.condition import STYLE_SIZE, Condition, class_of

__all__ = ["STYLE_SIZE", "Condition", "class_of"]


# Only when it is asked for: the record imports torch, which words do not need.
__getattr__ = imported_on_demand(__name__, dict.fromkeys(__all__, "condition"))
