"""What must hold of a folder of pages: links that lead somewhere, figures that can be seen."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image

ABSENT = "404.html"  # for a server alone: its links begin at the server's root


class Links(HTMLParser):
    """What a page points to and loads, its pictures with their texts, its anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.pictures: list[str] = []
        self.alts: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        (self.targets if tag == "a" else self.loaded).extend(
            given[key] for key in ("href", "src") if given.get(key)
        )
        self.anchors |= {given["id"]} if "id" in given else set()
        if tag == "img":
            self.alts.append(given["alt"])
            self.pictures.append(given["src"])


def check_pages(folder: Path) -> int:
    """Assert it of all pages of ``folder``; returns how many pictures they show."""
    found = {page: Links(page) for page in sorted(folder.rglob("*.html")) if page.name != ABSENT}
    assert len(found) > 1
    for page, links in found.items():
        assert all(links.alts), page
        for target in links.targets + links.loaded:
            parts = urlsplit(target)
            if parts.scheme == "https" and target not in links.loaded:
                continue
            if parts.scheme == "data":
                continue
            assert not parts.scheme and not parts.netloc, f"{page}: {target}"
            there = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert there.is_file(), f"{page}: {target}"
            if parts.fragment and there in found and not parts.fragment.startswith("__"):
                assert parts.fragment in found[there].anchors, f"{page}: {target}"
        for source in links.pictures:
            with Image.open(page.parent / unquote(source)) as picture:
                picture.load()
                assert min(picture.size) >= 32, f"{page}: {source} is {picture.size}"
    return sum(len(links.pictures) for links in found.values())
