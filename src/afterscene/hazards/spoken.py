"""How people speak of a hazard: the words by which a sentence names it or says what it did."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """Words of one hazard in English and Chinese, lower case, with ", " between them.

    ``nouns`` name it; ``done`` say of a building that it did damage there ("flooded"), ``gone``
    that it destroyed it ("burnt down"). The first noun is the one that is said back.
    """

    nouns: str = ""
    done: str = ""
    gone: str = ""
    nouns_zh: str = ""
    done_zh: str = ""
    gone_zh: str = ""
