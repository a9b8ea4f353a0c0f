"""The models that lie in the package, by name: ``weights/{name}/`` has config, weights, card."""

import json
import re
from importlib.resources import files
from pathlib import Path

from afterscene.errors import UnknownName


def models(kind: str | None = None) -> dict[str, Path]:
    """Name to folder of every shipped model, or of those of one ``kind``, sorted by name.

    A folder with a ``config.json`` is a model; its ``kind`` is ``bridge`` (a generator) or
    ``detector``.
    """
    root = Path(str(files("afterscene"))) / "weights"
    folders = {path.parent.name: path.parent for path in sorted(root.glob("*/config.json"))}
    if kind is None:
        return folders
    return {name: folder for name, folder in folders.items() if kind_of(folder) == kind}


def kind_of(folder: Path) -> str:
    """What ``config.json`` says that the model is; empty where it does not say or is damaged."""
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return ""
    return str(said.get("kind", "")) if isinstance(said, dict) else ""


def seen(folder: Path) -> list[str] | None:
    """Names of all tiles that a model learned from, itself or what it began with.

    After its ``config.json``; None where that does not say.
    """
    said = json.loads((model_folder(folder) / "config.json").read_text(encoding="utf-8"))
    tiles = said.get("tiles", said.get("provenance", {}).get("tiles"))
    return None if tiles is None else list(tiles)


def model_folder(folder: Path) -> Path:
    """The folder itself, or its ``model/`` where it is that of a training run."""
    own = folder / "model"
    runs = (own / "config.json").is_file() and not (folder / "config.json").is_file()
    return own if runs else folder


def find(name: str | Path, kind: str, *others: str) -> Path:
    """The folder of a shipped model of that kind by name, or the folder itself.

    A run's folder stands for its ``model/``.

    Raises UnknownName where there is none, or where its config says that it is neither of that kind
    nor of one of the ``others``.
    """
    known = models(kind)
    folder = known.get(str(name), model_folder(Path(name)))
    if not (folder / "config.json").is_file():
        names = ", ".join(known) or "none"
        raise UnknownName(
            f"{kind} '{name}' is neither shipped (shipped: {names}) nor a folder with config.json"
        )
    said = kind_of(folder)
    if said not in ("", kind, *others):
        raise UnknownName(
            f"'{name}' holds a model of the kind {said}; asked for is a {kind}: give its folder"
        )
    return folder


def licence(folder: Path) -> str:
    """The licence after ``config.json``, else after the header of the card (``license: ...``)."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("licence"):
        return str(config["licence"])
    for line in card(folder).splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip().lower() in ("license", "licence"):
            return value.strip()
    return "see the card"


def card(folder: Path) -> str:
    """The model card without its HTML comments; empty where the folder has none."""
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return re.sub(r"<!--.*?-->\n?", "", text, flags=re.S)
