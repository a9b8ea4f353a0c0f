"""The Chinese words of the grammar."""

from collections.abc import Mapping
from typing import Any

CHINESE: Mapping[str, Mapping[Any, str]] = {}
