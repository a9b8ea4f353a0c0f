"""What the nodes of the parse tree that name a place mean; the others are left for the reader."""

from dataclasses import replace
from typing import Any, cast

from lark import Token, Transformer, v_args

from afterscene.conditioning.words.joining import Closest, distance_in, sole, whole
from afterscene.conditioning.words.records import Near, Part, Share
from afterscene.errors import BadParameter

#: Metres that "near" means.
CLOSE = 50.0


def part_of(direction: Token, share: Token | None = None) -> Part:
    """A side of the picture: by itself a half, or the quarter in a corner."""
    usual = "quarter" if len(direction.value) == 2 else "half"
    named = share.value if share else usual
    return Part(direction=direction.value, share=cast(Share, named))


@v_args(inline=True)
class PlaceReader(Transformer):
    """Nodes of places to records; methods have the names of the grammars' rules."""

    def part(self, direction: Token, share: Token | None = None) -> Part:
        return part_of(direction, share)

    def half_part(self, direction: Token, *_: Token) -> Part:
        return Part(direction=direction.value, share="half")

    def corner(self, direction: Token, _: Token) -> Part:
        if len(direction.value) != 2:
            raise BadParameter(f"--say: {direction} is a side; name a corner such as north-eastern")
        return Part(direction=direction.value, share="corner")

    def centre(self, *_: Token) -> Part:
        return Part(direction="centre", share="corner")

    def water(self, *_: Token) -> Near:
        return Near(target="water")

    def road(self, *_: Token) -> Near:
        return Near(target="road")

    def point(self, token: Token) -> Near:
        return Near(target=token.value[0], at=token.value[1])

    def house(self, token: Token) -> Near:
        return Near(target="building", number=whole(token.value))

    def land(self, token: Token) -> Near:
        return Near(target="land", name=token.value)

    def named(self, token: Token) -> Near:
        return Near(target="named", name=token.value)

    def in_area(self, *found: Any) -> Near:
        return sole(found, Near)

    def out_of_area(self, *found: Any) -> Near:
        return replace(self.in_area(*found), outside=True)

    def inside(self, *found: Any) -> Part:
        return sole(found, Part)

    def outside(self, *found: Any) -> Part:
        return replace(self.inside(*found), outside=True)

    def within(self, *found: Any) -> Near:
        return replace(sole(found, Near), metres=distance_in(found))

    def beyond(self, *found: Any) -> Near:
        return replace(self.within(*found), outside=True)

    def near(self, *found: Any) -> Near:
        return replace(sole(found, Near), metres=CLOSE)

    def closest(self, *found: Any) -> Closest:
        return Closest(to=sole(found, Near))

    def places(self, *found: Any) -> tuple[Any, ...]:
        return found

    lead = places
