"""The models in the package, by name: ``weights/{name}/`` holds config, weights and model card."""

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
    """The model's kind by its ``config.json``; empty if that does not say or is damaged."""
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return ""
    return str(said.get("kind", "")) if isinstance(said, dict) else ""


def seen(folder: Path) -> list[str] | None:
    """Names of all tiles that a model was trained on, with those of the model it started from.

    From its ``config.json``; None if that does not say.
    """
    said = json.loads((model_folder(folder) / "config.json").read_text(encoding="utf-8"))
    tiles = said.get("tiles", said.get("provenance", {}).get("tiles"))
    return None if tiles is None else list(tiles)


def model_folder(folder: Path) -> Path:
    """The folder itself, or its ``model/`` if it is the folder of a training run."""
    own = folder / "model"
    runs = (own / "config.json").is_file() and not (folder / "config.json").is_file()
    return own if runs else folder


def find(name: str | Path, kind: str, *others: str) -> Path:
    """The folder of a shipped model of that kind by name, or the folder itself.

    The folder of a training run means its ``model/``.

    Raises UnknownName if there is none, or if its config says that it is neither of that kind nor
    of one of the ``others``.
    """
    known = models(kind)
    folder = known.get(str(name), model_folder(Path(name)))
    if not (folder / "config.json").is_file():
        names = ", ".join(known) or "none"
        raise UnknownName(
            f"{kind} '{name}' is neither shipped ({names}) nor a folder with config.json; "
            "give one of these names, or a model folder"
        )
    said = kind_of(folder)
    if said not in ("", kind, *others):
        raise UnknownName(
            f"'{name}' holds a model of the kind {said}; give the folder of a {kind} instead"
        )
    return folder


def licence(folder: Path) -> str:
    """The licence from ``config.json``, else from the header of the card (``license: ...``)."""
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
