"""The folder of a detector: safetensors, one JSON, one card. Nothing is ever unpickled."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import save as save_tensors

from afterscene import shipped
from afterscene.detectors.config import DetectorConfig
from afterscene.detectors.decision import Decision
from afterscene.detectors.detector import Detector, build_network
from afterscene.detectors.objects import ObjectHead
from afterscene.errors import BadParameter, BadWeights, MissingFile, OutputConflict
from afterscene.files import write_atomic, write_json
from afterscene.weightfiles import load_into, read_tensors, require_finite

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
OBJECTS = "objects.safetensors"
SCHEMA = 1
ASSESSOR = "unet"
"""The shipped detector that judges if none is named."""


def save_detector(detector: Detector, folder: Path) -> Path:
    """Write the three files, weights first. Raises OutputConflict if that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputConflict(
            f"{folder} cannot be created ({error.strerror}); choose another output folder"
        ) from error
    state = {k: v.contiguous() for k, v in detector.network.state_dict().items()}
    write_atomic(folder / WEIGHTS, save_tensors(state))
    if detector.objects is not None:
        write_atomic(folder / OBJECTS, save_tensors(detector.objects.state_dict()))
    write_json(
        folder / CONFIG,
        {
            "schema": SCHEMA,
            "kind": "detector",
            "detector": detector.config.as_json(),
            "decision": asdict(detector.decision),
            "provenance": dict(detector.provenance),
            "objects": detector.objects is not None,
        },
    )
    write_atomic(folder / CARD, detector_card(detector).encode())
    return folder


def load_assessor(folder: Path | None = None) -> tuple[Detector, str]:
    """The named or the shipped detector with its name.

    A detector that saw synthetic pairs may have learned artefacts of the generator as damage, so it
    must not judge generated scenes.

    Raises:
        UnknownName, MissingFile, BadWeights: see :func:`load_detector`.
        BadParameter: it was trained on synthetic pairs.
    """
    place = folder or Path(ASSESSOR)
    detector = load_detector(place)
    synthetic = detector.provenance.get("pairs_synthetic", 0)
    if synthetic:
        raise BadParameter(
            f"assessor {place} was trained on {synthetic} synthetic pairs, so it is not an "
            "independent judge; give one that was trained on real pairs alone"
        )
    return detector, place.name


def load_detector(name: Path | str = "unet") -> Detector:
    """A shipped detector by name, or one from a folder.

    Raises UnknownName, MissingFile, BadWeights.
    """
    folder = shipped.find(name, "detector")
    said = _read_config(folder / CONFIG)
    try:
        config = DetectorConfig.from_json(said["detector"])
        decision = Decision(**said["decision"])
        provenance = dict(said["provenance"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadWeights(
            f"{folder / CONFIG}: {error!r} is wrong; save the detector again"
        ) from error
    except BadParameter as error:
        raise BadWeights(f"{folder / CONFIG}: {error}") from error
    network = build_network(config)
    state = read_tensors(folder / WEIGHTS)
    require_finite(state, str(folder / WEIGHTS))
    load_into(network, state, str(folder / WEIGHTS))
    objects = _read_objects(folder, network.features_width) if said.get("objects") else None
    return Detector(network, config, decision=decision, provenance=provenance, objects=objects)


def _read_objects(folder: Path, width: int) -> ObjectHead:
    head = ObjectHead(width)
    state = read_tensors(folder / OBJECTS)
    require_finite(state, str(folder / OBJECTS))
    load_into(head, state, str(folder / OBJECTS))
    return head.eval()


def _read_config(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingFile(
            f"{path} cannot be read ({error.strerror}); give the folder of a saved detector"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadWeights(f"{path} is not JSON ({error}); save the detector again") from error
    if not isinstance(said, dict) or said.get("kind") != "detector":
        raise BadWeights(f"{path} does not describe a detector; give a detector's folder")
    if said.get("schema") != SCHEMA:
        raise BadWeights(
            f"{path}: schema {said.get('schema')} is not {SCHEMA}; use the AfterScene that wrote it"
        )
    return said


def detector_card(detector: Detector) -> str:
    """The model card, in Markdown, from the detector's provenance."""
    made, config = detector.provenance, detector.config
    lines = [
        "# AfterScene damage detector",
        "",
        f"A Siamese U-Net, encoder `{config.encoder}` ({made.get('encoder_weights', 'unknown')}), "
        "that finds buildings in a pre-disaster image and their damage level (Joint Damage Scale, "
        "1 to 4) in the post-disaster image. It was made by `afterscene.detectors.fit`.",
        "",
        "## Training",
        "",
        *(
            f"- {key.replace('_', ' ')}: {_plain(value)}"
            for key, value in sorted(made.items())
            if key != "tiles"  # in config.json
        ),
        "",
        "Figures under `validation` come from the split that also chose threshold and biases, so "
        "they are slightly optimistic; score a test split with `afterscene detect score`.",
        "",
        "## Limits and licence",
        "",
        "Damage models fail most on events they have not seen, and on minor and major damage. Do "
        "not decide about people by this output alone. Weights have the licence of the data they "
        "were trained on: for xBD that is CC BY-NC-SA 4.0 (non-commercial, attribution, "
        "share-alike).",
        "",
    ]
    return "\n".join(lines)


def _plain(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
