"""The log as curves and pictures: TensorBoard files if it is installed, PNG files in any case.

``tensorboard --logdir RUN`` shows them offline. A resumed run hides what a killed run wrote after
the state that it resumes from.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from afterscene.files import write_atomic

BOARD, PICTURES = "tensorboard", "pictures"


class Board:
    """Where the curves and validation pictures of a run go."""

    def __init__(self, out: Path, step: int, *, tensorboard: bool = True) -> None:
        self.out = out
        self.writer = _writer(out / BOARD, step) if tensorboard else None

    def record(self, record: Mapping[str, Any]) -> None:
        """The numbers of one step."""
        if self.writer is not None:
            for name, value in record.items():
                if name != "step":
                    self.writer.add_scalar(name, float(value), record["step"])

    def picture(self, picture: np.ndarray, step: int, *, synthetic: bool) -> Path:
        """``(H, W, 3)`` uint8 into ``pictures/``, marked if it was generated."""
        path = self.out / PICTURES / f"{step:08d}.png"
        path.parent.mkdir(exist_ok=True)
        tags, file = PngInfo(), io.BytesIO()
        if synthetic:
            tags.add_text("AFTERSCENE_SYNTHETIC", "true")
        Image.fromarray(picture).save(file, "PNG", pnginfo=tags)
        write_atomic(path, file.getvalue())
        if self.writer is not None:
            self.writer.add_image("validation", picture, step, dataformats="HWC")
        return path

    def close(self) -> None:
        """Write what is still in memory."""
        if self.writer is not None:
            self.writer.close()


def _writer(folder: Path, step: int) -> Any:
    """TensorBoard's writer; None if it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
