"""Distributions that hazards draw their events from (:meth:`Hazard.law`), by inversion.

Each hazard truncates them to events that matter (those that damage buildings) and to the ranges of
its own fields. The laws are published; where a constant is ours, the hazard says so. They describe
events in general, not the climate of a place. Coefficients were written down from knowledge of the
papers, not checked against their pages.
"""

import numpy as np


def bounded_exponential(rng: np.random.Generator, rate: float, most: float) -> float:
    """Exponential with that rate, truncated at ``most``."""
    return float(-np.log1p(-rng.uniform() * -np.expm1(-rate * most)) / rate)


def weibull_between(
    rng: np.random.Generator, *, scale: float, shape: float, low: float, high: float
) -> float:
    """Weibull, truncated to [``low``, ``high``]."""
    first, last = (np.exp(-((x / scale) ** shape)) for x in (low, high))
    return float(scale * (-np.log(first - rng.uniform() * (first - last))) ** (1 / shape))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Uniform in the logarithm from ``low`` to ``high``."""
    return float(low * (high / low) ** rng.uniform())
