"""Generation one part at a time: the first half of the course.

Averaging (all pixels at once from a label: a blur), next pixel, PixelCNN, multi-scale PixelCNN,
then *generalized* auto-regression: any order in which each step adds pixels that are far apart;
and the bridge to diffusion, where "remove" becomes "add noise". The same rule for texts: the next
character.

All models take integer pictures ``(N, C, H, W)`` with values ``0 .. levels - 1`` and share their
verbs: ``loss(x)``, ``log_prob(x)`` in nats where it exists, ``walk(...)`` yielding every state of
a generation, ``sample(...)`` its last state. None of them is a denoiser.
"""

from afterscene.school.autoregression.averaging import AveragingRegressor, average_pictures
from afterscene.school.autoregression.bridge import (
    AddNoise,
    Corruption,
    Remove,
    restoration_loss,
    undo,
)
from afterscene.school.autoregression.fit import FitConfig, train_steps
from afterscene.school.autoregression.heads import MeanHead, PixelHead
from afterscene.school.autoregression.multiscale import MultiScalePixelCNN
from afterscene.school.autoregression.nextpixel import NextPixel, NextPixelConfig
from afterscene.school.autoregression.orders import (
    STRATEGIES,
    Blocks,
    Confidence,
    Order,
    Random,
    Raster,
    Spaced,
    minimum_distance,
)
from afterscene.school.autoregression.pixelcnn import PixelCNNModel
from afterscene.school.autoregression.pixels import bits_per_value, dequantize, quantize
from afterscene.school.autoregression.removal import RemovalModel
from afterscene.school.autoregression.text import Alphabet, NextToken, NextTokenConfig

__all__ = [
    "STRATEGIES",
    "AddNoise",
    "Alphabet",
    "AveragingRegressor",
    "Blocks",
    "Confidence",
    "Corruption",
    "FitConfig",
    "MeanHead",
    "MultiScalePixelCNN",
    "NextPixel",
    "NextPixelConfig",
    "NextToken",
    "NextTokenConfig",
    "Order",
    "PixelCNNModel",
    "PixelHead",
    "Random",
    "Raster",
    "RemovalModel",
    "Remove",
    "Spaced",
    "average_pictures",
    "bits_per_value",
    "dequantize",
    "minimum_distance",
    "quantize",
    "restoration_loss",
    "train_steps",
    "undo",
]
