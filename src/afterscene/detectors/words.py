"""The four levels as sentences of the Joint Damage Scale, and sentences as vectors.

A CLIP model's own text encoder embeds them; any other local sentence encoder gives the mean over
its tokens. Without one the fallback hashes words and pairs of words to signed positions (Weinberger
et al. 2009, arXiv 0902.2206): it knows nothing about meaning, only which sentences share words,
which is enough to distinguish four fixed ones.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from afterscene.detectors.config import DetectorConfig
from afterscene.errors import AftersceneWarning, BadWeights

#: no damage, minor, major, destroyed (xBD, Gupta et al. 2019, arXiv 1911.09296).
SENTENCES = (
    "an undisturbed building with no sign of water, structural or shingle damage, or burn marks",
    "a partially burnt building, water surrounding the structure, volcanic flow nearby, roof "
    "elements missing, or visible cracks",
    "a building with partial wall or roof collapse, encroaching volcanic flow, or surrounded by "
    "water or mud",
    "a scorched or completely collapsed building, partially or completely covered with water or "
    "mud, or no longer present",
)


def embed(sentences: Sequence[str], config: DetectorConfig) -> Tensor:
    """(n, ``config.words``) unit vectors. Raises BadWeights."""
    folder = Path(config.text or config.backbone) if config.text or config.backbone else None
    if folder is not None and (config.text or _has_text(folder)):
        vectors = _encoded(sentences, folder)
        if vectors.shape[1] != config.words:
            raise BadWeights(
                f"{folder} gives vectors of {vectors.shape[1]} numbers, but the detector has words "
                f"= {config.words}; set words = {vectors.shape[1]}"
            )
    else:
        vectors = hashed(sentences, config.words)
        warnings.warn(
            "no local text encoder is given, so the descriptions of the levels are hashed and have "
            "no meaning beyond shared words",
            AftersceneWarning,
            stacklevel=5,
        )
    return functional.normalize(vectors, dim=1)


def hashed(sentences: Sequence[str], size: int) -> Tensor:
    """Signed counts of words and word pairs, each at the position given by its SHA-256."""
    table = torch.zeros(len(sentences), size)
    for row, sentence in zip(table, sentences, strict=True):
        words = "".join(c if c.isalnum() else " " for c in sentence.lower()).split()
        for term in (*words, *(" ".join(pair) for pair in pairwise(words))):
            digest = hashlib.sha256(term.encode()).digest()
            row[int.from_bytes(digest[:4], "big") % size] += 1 if digest[4] % 2 else -1
    return table


def _has_text(folder: Path) -> bool:
    """Whether the folder has a complete CLIP model with its tokenizer."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return "text_config" in config and any(folder.glob("*token*"))


def _encoded(sentences: Sequence[str], folder: Path) -> Tensor:
    from afterscene.detectors.backbones import library

    transformers = library()
    local: dict[str, Any] = {"local_files_only": True}
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
        tokens = transformers.AutoTokenizer.from_pretrained(folder, **local)(
            list(sentences), padding=True, truncation=True, return_tensors="pt"
        )
        clip = kind == "clip"
        owner = transformers.CLIPTextModelWithProjection if clip else transformers.AutoModel
        model = owner.from_pretrained(folder, use_safetensors=True, **local).eval()
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise BadWeights(
            f"{folder}: the text encoder cannot be read ({str(error).splitlines()[0][:150]}); give "
            "a folder with config, tokenizer and model.safetensors"
        ) from error
    with torch.inference_mode():
        found = model(**tokens)
        if clip:
            return found.text_embeds.clone()
        mask = tokens["attention_mask"][..., None].float()
        return ((found.last_hidden_state * mask).sum(1) / mask.sum(1)).clone()
