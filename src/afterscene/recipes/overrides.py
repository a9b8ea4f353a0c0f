"""Dotted overrides: ``model.widths=8,16`` into a tree of frozen dataclasses.

The value is parsed by the field's type, so that a number stays a number; ``none`` is for optional
values; tuples are written with commas, tuples of tuples with brackets
(``crops.shapes=[64,18],[96,8]``). The checks in ``__post_init__`` apply here as well, because the
records are created anew.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from afterscene.errors import BadParameter, UnknownName

Config = TypeVar("Config")

#: Steps of a training that the clock ends.
ENDLESS = 1_000_000


def override(config: Config, pairs: Iterable[str]) -> Config:
    """``config`` with each ``NAME=VALUE`` applied; of two for the same key the last counts.

    Raises:
        UnknownName: there is no such key; the message lists the keys.
        BadParameter: an entry has no ``=``, or the record refuses the value.
    """
    tree: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not (key and equals):
            raise BadParameter(
                f"--set {pair!r} is not NAME=VALUE; write, for example, --set lr=2e-4"
            )
        hint = _hint(config, key)
        try:
            value = _fit(hint, text.strip())
        except (ValueError, TypeError) as error:
            name = getattr(hint, "__name__", str(hint)) if not get_args(hint) else str(hint)
            raise BadParameter(f"--set {key}: {text!r} is not a valid {name}; change it") from error
        *parents, last = key.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = value
    try:
        return _rebuild(config, tree)
    except ValueError as error:
        raise BadParameter(f"--set: {error}; change the value") from error


def by_the_clock(config: Config, minutes: float | None, settings: Iterable[str] = ()) -> Config:
    """A training's configuration that the clock ends, unless ``settings`` say after which step.

    ``minutes`` None: as it is. Raises BadParameter.
    """
    if minutes is None:
        return config
    told = any(setting.partition("=")[0] == "steps" for setting in settings)
    steps = [] if told else [f"steps={ENDLESS}"]
    return override(config, [f"seconds={60 * minutes}", *steps])


def keys_of(config: Any, prefix: str = "") -> dict[str, Any]:
    """Every dotted key of a config with its value."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found |= keys_of(value, f"{prefix}{field.name}.")
        else:
            found[prefix + field.name] = value
    return found


def _hint(config: Any, key: str) -> Any:
    known = keys_of(config)
    if key not in known:
        raise UnknownName(f"--set {key!r} is not known; choose one of: {', '.join(known)}")
    *parents, last = key.split(".")
    for parent in parents:
        config = getattr(config, parent)
    return get_type_hints(type(config))[last]


def _rebuild(config: Any, tree: dict[str, Any]) -> Any:
    changes = {
        name: _rebuild(getattr(config, name), value) if isinstance(value, dict) else value
        for name, value in tree.items()
    }
    return dataclasses.replace(config, **changes)


def _fit(hint: Any, text: str) -> Any:
    """The text as a value of the type; ValueError or TypeError if it is not one."""
    if hint is str or get_origin(hint) is Literal:
        return text
    if NoneType in get_args(hint):
        inner = next(h for h in get_args(hint) if h is not NoneType)
        return None if text.lower() == "none" else _fit(inner, text)
    if hint == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if get_origin(hint) is tuple:
        try:
            value = json.loads(f"[{text}]")
        except ValueError:
            value = json.loads(text)
        if len(value) == 1 and isinstance(value[0], list) and _depth(value) > _depth_of(hint):
            value = value[0]
        return _convert(hint, value)
    return _convert(hint, json.loads(text))


def _convert(hint: Any, value: Any) -> Any:
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if not isinstance(value, list):
            raise TypeError("not a list")
        if inner[-1] is Ellipsis:
            inner = (inner[0],) * len(value)
        return tuple(_convert(h, v) for h, v in zip(inner, value, strict=True))
    if hint is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if hint in (int, bool) and type(value) is hint:
        return value
    raise TypeError(f"{value!r} does not fit")


def _depth(value: Any) -> int:
    return 1 + max((_depth(v) for v in value), default=0) if isinstance(value, list) else 0


def _depth_of(hint: Any) -> int:
    return 1 + _depth_of(get_args(hint)[0]) if get_origin(hint) is tuple else 0
