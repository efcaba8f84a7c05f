"""From the frame numbers of a recording to those of its features."""

from __future__ import annotations

import math
import re

from progfix.data.options import FRAME_RATES
from progfix.errors import InputError, Problem

__all__ = ["annotation_fps", "parse_fps", "to_feature_frame"]

_RULES: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"^S\d+_"), 30.0),  # CMU-MMAC
    (re.compile(r"\.tent\."), 60.0),  # EPIC-Tents
    (re.compile(r"^\d{4}$"), 12.0),  # MECCANO
    (re.compile(r"^Head_"), 12.0),  # PC assembly and disassembly
    (re.compile(r"OP|P0|P1|P2"), 24.0),  # EGTEA Gaze+
)


def annotation_fps(handle: str) -> float | None:
    """Return the frame rate that EgoProceL's annotations of a recording are in.

    Args:
        handle: Name of the recording, such as "OP01-R03-BaconAndEggs".

    Returns:
        Frames per second, or None for a name that no rule covers.

    Source: EgoProceL as GTCC uses it (gerardDonahue/GTCC_CVPR2024). EGTEA's rule comes
    last, since the other handles may contain "P1" by chance.
    """
    return next((fps for pattern, fps in _RULES if pattern.search(handle)), None)


def to_feature_frame(frame: float, fps: float, frame_rate: float) -> int:
    """Return the feature frame that shows an annotation's frame.

    Args:
        frame: Frame number at `fps`, 0 or more.
        fps: Frames per second of the annotation.
        frame_rate: Frames per second of the features.

    Returns:
        int(frame / (fps / frame_rate)); at 1 feature frame per second the users' own
        int(frame / fps). The rates are divided first, so that equal rates change nothing.
    """
    return int(frame / (fps / frame_rate))


def parse_fps(text: str) -> float | None:
    """Return the number that `--fps` gives, or None for "auto".

    Raises:
        InputError: If it is neither "auto" nor a number in `FRAME_RATES`.
    """
    if text == "auto":
        return None
    try:
        fps = float(text)
    except ValueError:
        fps = math.nan
    if fps not in FRAME_RATES:
        expected = f"auto or {FRAME_RATES.of(float)}"
        raise InputError(Problem("--fps", expected, repr(text), "give frames per second"))
    return fps
