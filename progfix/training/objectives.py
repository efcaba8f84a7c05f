"""From a head and a batch of prefixes to the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from progfix.heads.base import ProgressHead
from progfix.heads.outputs import Truth
from progfix.training.recipe import Objective
from progfix.training.sampling import Prefixes

__all__ = ["early_weights", "progress_loss"]


def early_weights(target: Tensor) -> Tensor:
    """Return min(1 / max(target, 0.05), 20), shape of `target`, in [1, 20] (solution e)."""
    return (1.0 / target.clamp_min(0.05)).clamp_max(20.0)


def progress_loss(
    head: ProgressHead, embeddings: Sequence[Tensor], prefixes: Prefixes, objective: Objective
) -> Tensor:
    """Return the mean loss over the prefixes of a batch.

    Args:
        head: The head in training.
        embeddings: `(T, D)` of each video of the batch.
        prefixes: What to train on, at least one.
        objective: What an error costs.

    Returns:
        A scalar that can be differentiated with respect to the head and the embeddings.
    """
    raw = _raw(head, embeddings, prefixes)
    truth = Truth(
        *(
            torch.from_numpy(values).to(raw.device)
            for values in (prefixes.frames, prefixes.duration, prefixes.censored)
        )
    )
    loss = head.output.loss(head.with_prior(raw, truth.elapsed), truth)
    if objective.early_weight:
        loss = loss * early_weights(truth.target.to(loss.dtype))
    return loss.mean()


def _raw(head: ProgressHead, embeddings: Sequence[Tensor], prefixes: Prefixes) -> Tensor:
    """Return the raw outputs at the prefixes, `(P, K)`, in the cheapest exact way.

    A head that streams runs once over each segment up to its longest prefix; the others
    run over every prefix, sharing nothing.
    """
    device = embeddings[0].device
    places = np.stack([prefixes.video, prefixes.start], axis=1)
    segments, inverse = np.unique(places, axis=0, return_inverse=True)
    longest = np.zeros(len(segments), dtype=np.int64)
    np.maximum.at(longest, inverse, prefixes.frames)
    every = len(prefixes) == longest.sum()
    if not (head.streams or every):
        cut = [
            embeddings[video][start : start + frames]
            for video, start, frames in zip(
                prefixes.video, prefixes.start, prefixes.frames, strict=True
            )
        ]
        lengths = torch.from_numpy(prefixes.frames).to(device)
        return head.raw_last(pad_sequence(cut, batch_first=True), lengths)
    cut = [
        embeddings[video][start : start + frames]
        for (video, start), frames in zip(segments, longest, strict=True)
    ]
    raw = head.raw_every(pad_sequence(cut, batch_first=True), torch.from_numpy(longest).to(device))
    rows = torch.from_numpy(inverse).to(device)
    return raw[rows, torch.from_numpy(prefixes.frames - 1).to(device)]
