"""What must hold of a folder of pages: links that lead somewhere, figures that can be seen."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image


class Links(HTMLParser):
    """What a page points to, its pictures with their texts, its anchors, its tags."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.pictures: list[str] = []
        self.tags: list[str] = []
        self.alts: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        given = dict(attrs)
        self.targets += [given[key] for key in ("href", "src") if key in given]
        self.anchors |= {given["id"]} if "id" in given else set()
        if tag == "img":
            self.alts.append(given["alt"])
            self.pictures.append(given["src"])


def check_pages(folder: Path) -> int:
    """Assert it of all pages of ``folder``; returns how many pictures they show."""
    found = {page.name: Links(page) for page in sorted(folder.glob("*.html"))}
    assert len(found) > 1
    for name, links in found.items():
        assert "script" not in links.tags
        assert all(links.alts)
        assert 'name="viewport"' in (folder / name).read_text("utf-8")
        for target in links.targets:
            parts = urlsplit(target)
            if parts.scheme == "https":
                continue
            assert not parts.scheme and not parts.netloc, f"{name}: {target}"
            there = unquote(parts.path) or name
            assert (folder / there).is_file(), f"{name}: {target}"
            if parts.fragment:
                assert parts.fragment in found[there].anchors, f"{name}: {target}"
        for source in links.pictures:
            with Image.open(folder / unquote(source)) as picture:
                picture.load()
                assert min(picture.size) >= 32, f"{name}: {source} is {picture.size}"
    return sum(len(links.pictures) for links in found.values())
