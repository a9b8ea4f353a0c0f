"""Distances on the Earth."""

from typing import Any

import numpy as np

EARTH_KM = 6371.0088


def distance_km(lng: Any, lat: Any, other_lng: Any, other_lat: Any) -> np.ndarray:
    """Great-circle distance (haversine, mean Earth radius); degrees in, broadcast."""
    a, b, c, d = (np.radians(np.asarray(v, float)) for v in (lat, other_lat, lng, other_lng))
    h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin((d - c) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1))))
