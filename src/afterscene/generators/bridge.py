"""The shipped generator: a diffusion bridge from the pre image to the post image.

I2SB (Liu et al. 2023, arXiv 2302.05872): instead of starting from noise, the process starts at
the pre image and ends at a post image,

    x_t = (1 - t) x0 + t x1 + s(t) eps,   s(t)^2 = sigma_b^2 t (1 - t),

with x0 the post image, x1 the pre image. Relative to the pre image, y = x_t - x1 is the residual
r = x0 - x1 at signal scale (1 - t) with noise s(t), so the preconditioning of EDM (Karras et al.
2022, table 1) for data of standard deviation ``sigma_data`` applies:

    r_hat = c_skip y + c_out F(c_in y, condition, c_noise),   x0_hat = x1 + r_hat.

At t = 1 there is no noise and no signal: F regresses the residual; noise is added along the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from afterscene.conditioning import STYLE_SIZE, Condition
from afterscene.conditioning.condition import PICTURE_CHANNELS
from afterscene.diffusion.bridges import BrownianBridge
from afterscene.networks.unet import UNet, UNetConfig


def registered() -> tuple[str, ...]:
    """The names of all hazards of this installation."""
    from afterscene.hazards import HAZARDS  # shapely and OpenCV; trained weights name their own

    return tuple(HAZARDS)


@dataclass(frozen=True, kw_only=True)
class BridgeConfig:
    """Process and network of a :class:`BridgeModel`.

    Attributes:
        sigma_b: Noise of the bridge; its largest standard deviation is ``sigma_b / 2``, in the
            units of :mod:`afterscene.generators.colour`.
        sigma_data: Standard deviation of post - pre, same units.
        patch, widths, depths, embedding, lean, gsd: See
            :class:`~afterscene.networks.unet.UNetConfig`.
        hazards: Names of the hazards in the order of the class condition. The order belongs to
            the weights; a new model uses all registered hazards.
    """

    sigma_b: float = 0.6
    sigma_data: float = 0.3
    patch: int = 2
    widths: tuple[int, ...] = (64, 128, 256)
    depths: tuple[int, ...] = (1, 2, 2)
    embedding: int = 256
    lean: bool = False
    gsd: bool = False
    hazards: tuple[str, ...] = field(default_factory=registered)

    @classmethod
    def of(cls, values: dict[str, Any]) -> BridgeConfig:
        """The inverse of ``dataclasses.asdict``, for values read from JSON.

        Raises ValueError if they do not name the hazards of the classes.
        """
        if "hazards" not in values:
            raise ValueError("model.hazards, the order of its class condition, is not given")
        known: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**known)

    @property
    def stride(self) -> int:
        """Pixels by which height and width of a picture must be divisible."""
        return self.network().stride

    def __post_init__(self) -> None:
        if self.sigma_b <= 0 or self.sigma_data <= 0:
            raise ValueError(f"sigma_b {self.sigma_b} and sigma_data {self.sigma_data} must be > 0")

    def network(self) -> UNetConfig:
        """The sizes of the network that this model preconditions."""
        return UNetConfig(
            channels_in=3 + PICTURE_CHANNELS,
            channels_out=3,
            patch=self.patch,
            widths=self.widths,
            depths=self.depths,
            embedding=self.embedding,
            lean=self.lean,
            gsd=self.gsd,
            vector=STYLE_SIZE,
            classes=len(self.hazards),
        )


class BridgeModel(nn.Module):
    """``(x_t (N, 3, H, W), t (N,), condition) -> estimate of x0 (N, 3, H, W)``."""

    def __init__(self, config: BridgeConfig) -> None:
        super().__init__()
        self.config = config
        self.bridge = BrownianBridge(sigma_max=config.sigma_b, shape="linear")
        self.network = UNet(config.network())

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``c_skip, c_out, c_in`` of shape ``(N, 1, 1, 1)`` for t in (0, 1]."""
        signal, _, noise = self.bridge.weights(t[:, None, None, None])
        data = self.config.sigma_data
        total = (signal * data) ** 2 + noise**2
        # At t = 1 both signal and noise vanish; these are the limits.
        end = total <= 1e-6
        total = torch.where(end, 1.0, total)
        c_skip = torch.where(end, (data / self.config.sigma_b) ** 2, signal * data**2 / total)
        c_out = torch.where(end, data, noise * data * total.rsqrt())
        c_in = torch.where(end, 0.0, total.rsqrt())
        return c_skip, c_out, c_in

    def forward(self, x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        t = t.expand(x_t.shape[0])
        c_skip, c_out, c_in = self.coefficients(t)
        y = x_t - condition.pre
        picture = torch.cat([c_in * y, condition.picture()], dim=1)
        # Weights that were cast (computing.prepared) decide the precision.
        picture = picture.to(self.network.stem.weight.dtype)
        given = (condition.style, condition.hazard, condition.gsd)
        residual = self.network(picture, t.sqrt(), *given).float()
        return condition.pre + c_skip * y + c_out * residual

    def loss(self, x0: Tensor, t: Tensor, eps: Tensor, condition: Condition) -> Tensor:
        """Squared error of F against its target, unit weight (EDM, eq. 8): ``(N, 3, H, W)``."""
        x_t = self.bridge.x_t(x0, condition.pre, t, eps)
        _, c_out, _ = self.coefficients(t)
        return ((self(x_t, t, condition) - x0) / c_out).square()
