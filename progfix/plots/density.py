"""How often which prediction meets which target."""

from __future__ import annotations

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from progfix.plots.curves import marker_step
from progfix.plots.style import TARGET, look_of, plain_ticks
from progfix.plots.views import Density

__all__ = ["draw_density"]


def draw_density(axes: Axes, view: Density, place: int = 0) -> Axes:
    """Draw the share of predictions at each target, the diagonal, and the median.

    Each column is a distribution of its own, so that short actions, which have few targets,
    weigh no column down. A head that answers the same everywhere is a horizontal stripe.

    Args:
        axes: Where to draw.
        view: The counts.
        place: Which source it is, from 0, for the colour of the median.

    Returns:
        The Axes, holding the image, the diagonal and the median in this order.
    """
    total = view.counts.sum(axis=1, keepdims=True)
    share = view.counts / np.maximum(total, 1)
    axes.imshow(
        share.T,
        origin="lower",
        extent=(0, 1, 0, 1),
        aspect="auto",
        interpolation="nearest",
        cmap=LinearSegmentedColormap.from_list("progfix", ["#ffffff", "#b9c2cc", "#28313b"]),
        vmin=0.0,
        vmax=float(np.quantile(share, 0.995)) or 1.0,
    )
    width = float(rcParams["lines.linewidth"])
    axes.plot([0, 1], [0, 1], color=TARGET.color, linestyle=TARGET.linestyle, linewidth=width * 0.7)
    centres = (np.arange(len(share)) + 0.5) / len(share)
    look = look_of(place)
    axes.plot(
        centres,
        view.median,
        color=look.color,
        marker=look.marker,
        markevery=marker_step(len(centres)),
        markeredgecolor="white",
        markeredgewidth=width * 0.35,
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis).set_ticks([0.0, 0.5, 1.0])
    return axes
