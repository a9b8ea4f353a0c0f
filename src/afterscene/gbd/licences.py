"""Which terms apply: the licence of an item combines those of everything that it was made from.

A synthetic pair is made from an image and from weights, so the terms of both apply (an SPDX
expression with ``AND``). An unstated licence is ``LicenseRef-unknown`` and permits nothing. The
table lists what each licence requires according to its text; it is not legal advice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from afterscene import shipped
from afterscene.errors import BadLabel
from afterscene.geodata.xbd import EVENTS

UNKNOWN = "LicenseRef-unknown"
XBD = "CC-BY-NC-SA-4.0"
_CC = "https://creativecommons.org"
CREDIT = "xBD (Gupta et al. 2019, arXiv 1911.09296), imagery Maxar Open Data"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a licence permits and requires."""

    url: str = ""
    commercial: bool = True
    attribution: bool = True
    share_alike: bool = False


TERMS: Mapping[str, Terms] = MappingProxyType(
    {
        XBD: Terms(url=f"{_CC}/licenses/by-nc-sa/4.0/", commercial=False, share_alike=True),
        "CC-BY-NC-4.0": Terms(url=f"{_CC}/licenses/by-nc/4.0/", commercial=False),
        "CC-BY-SA-4.0": Terms(url=f"{_CC}/licenses/by-sa/4.0/", share_alike=True),
        "CC-BY-4.0": Terms(url=f"{_CC}/licenses/by/4.0/"),
        "CC0-1.0": Terms(url=f"{_CC}/publicdomain/zero/1.0/", attribution=False),
        "ODbL-1.0": Terms(url="https://opendatacommons.org/licenses/odbl/1-0/", share_alike=True),
        "CDLA-Permissive-2.0": Terms(url="https://cdla.dev/permissive-2-0/"),
        "Apache-2.0": Terms(url="https://www.apache.org/licenses/LICENSE-2.0"),
        "MIT": Terms(url="https://opensource.org/license/mit"),
    }
)
"""SPDX identifier -> terms, for licences that are common for imagery and weights."""


def item_licence(row: Mapping[str, Any], pre_metadata: Mapping[str, Any]) -> str:
    """The SPDX expression of one pair: the licence of its source image AND that of its model.

    The source's licence is ``licence`` in its label's metadata, else CC-BY-NC-SA-4.0 for the 19
    events of xBD; a drawn place (``drawn`` in the metadata) adds no terms. The model's licence is
    that of the shipped model named in the row. Everything else is unknown.
    """
    return " AND ".join(sorted({*_of_source(row, pre_metadata), _of_model(row)}))


def _of_source(row: Mapping[str, Any], metadata: Mapping[str, Any]) -> set[str]:
    said = metadata.get("licence", metadata.get("license"))
    if said is not None:
        if not isinstance(said, str) or not said.strip() or not said.isprintable():
            raise BadLabel(
                f"pair {row['id']}: its pre label has the licence {said!r}; give an SPDX identifier"
            )
        return set(licence_names(said))
    if metadata.get("synthetic") is True and metadata.get("drawn"):
        return set()
    event = str(row.get("source", "")).rpartition("_")[0]
    return {XBD if event in EVENTS else UNKNOWN}


def _of_model(row: Mapping[str, Any]) -> str:
    folder = shipped.models().get(str(row.get("model")))
    stated = shipped.licence(folder) if folder else ""
    return stated if stated in TERMS else UNKNOWN


def licence_names(expression: str) -> list[str]:
    """``"A AND B"`` as ``["A", "B"]``."""
    return [part.strip() for part in expression.split(" AND ") if part.strip()]


@dataclass(frozen=True, kw_only=True)
class Combined:
    """The terms of a whole set: of each kind the strictest that any part has."""

    licence: str
    items: Mapping[str, int]
    commercial: bool
    attribution: bool
    share_alike: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def conflict(self) -> bool:
        """Whether two different share-alike licences both apply to the result."""
        return len(self.share_alike) > 1

    @property
    def sentence(self) -> str:
        """The terms as a sentence for people."""
        said = ["attribution required" if self.attribution else "no attribution required"]
        said.append("commercial use permitted" if self.commercial else "no commercial use")
        if self.conflict:
            names = " and ".join(self.share_alike)
            said.append(f"{names} both require share-alike: do not publish them as one work")
        elif self.share_alike:
            said.append(f"derived work must be licensed under {self.share_alike[0]}")
        if self.unknown:
            said.append(
                f"the terms of {', '.join(self.unknown)} are unknown: ask the owner before sharing"
            )
        return "; ".join(said)

    def as_json(self) -> dict[str, Any]:
        """The terms as JSON values."""
        names = licence_names(self.licence)
        return {
            "licence": self.licence,
            "items": dict(self.items),
            "commercial_use": self.commercial,
            "attribution": self.attribution,
            "share_alike": list(self.share_alike),
            "conflict": self.conflict,
            "unknown": list(self.unknown),
            "terms": self.sentence,
            "urls": {n: TERMS[n].url for n in names if n in TERMS},
        }


def combine(expressions: Iterable[str]) -> Combined:
    """The terms of a set of items with these licences; unknown ones permit nothing."""
    items = Counter(expressions)
    names = sorted({name for expression in items for name in licence_names(expression)})
    known = {name: TERMS[name] for name in names if name in TERMS}
    unknown = tuple(name for name in names if name not in TERMS)
    return Combined(
        licence=" AND ".join(names),
        items=dict(sorted(items.items())),
        commercial=not unknown and all(t.commercial for t in known.values()),
        attribution=bool(unknown) or any(t.attribution for t in known.values()),
        share_alike=tuple(name for name, t in known.items() if t.share_alike),
        unknown=unknown,
    )
