"""What a picture is asked to show: one record, each part of which may be missing; and words."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from afterscene.conditioning.condition import STYLE_SIZE, Condition, class_of

__all__ = ["STYLE_SIZE", "Condition", "class_of"]


def __getattr__(name: str) -> Any:
    """The record, only when it is asked for: it imports torch, which words do not need."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from afterscene.conditioning import condition

    return getattr(condition, name)
