"""Damage models: two scenes in, buildings and their damage levels out.

``fit`` trains a Siamese U-Net on real and synthetic pairs, ``Detector.predict`` applies it to
scenes of any size, ``load_detector`` and ``Detector.save`` read and write a folder of safetensors
and JSON, ``predict_folder`` writes what the xView2 scorer reads. :data:`DETECTORS` lists ready
configurations. Nothing here depends on generators; :mod:`afterscene.lab` combines both.
"""

from afterscene.detectors.config import DetectorConfig
from afterscene.detectors.decision import Decision
from afterscene.detectors.detector import Detector, Prediction
from afterscene.detectors.folders import predict_folder
from afterscene.detectors.registry import DETECTORS
from afterscene.detectors.storage import load_assessor, load_detector
from afterscene.detectors.training import fit

__all__ = [
    "DETECTORS",
    "Decision",
    "Detector",
    "DetectorConfig",
    "Prediction",
    "fit",
    "load_assessor",
    "load_detector",
    "predict_folder",
]
