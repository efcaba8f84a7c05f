"""A model as something that can be asked about inputs that nobody recorded."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from progfix.data.dataset import Dataset, Video
from progfix.external import answer_segment
from progfix.model import ProgressModel
from progfix.predict import SegmentAnswers, embed_video, predict_segments
from progfix.sources.source import Probing

__all__ = ["probing_of_model", "probing_of_module"]


def probing_of_model(model: ProgressModel, videos: Dataset) -> Probing:
    """Return how to probe a model of ours."""

    def embed(video: Video) -> Tensor:
        was_training = model.training
        model.eval()
        with torch.inference_mode():
            embeddings = embed_video(model, video)
        model.train(was_training)
        return embeddings

    def answer(segments: Sequence[Tensor]) -> list[SegmentAnswers]:
        was_training = model.training
        model.eval()
        answers = predict_segments(model.head, segments)
        model.train(was_training)
        return answers

    return Probing(videos, embed, answer, model.head.streams)


def probing_of_module(
    module: nn.Module, name: str, videos: Dataset, device: torch.device
) -> Probing:
    """Return how to probe a user's module, which reads features.

    Args:
        module: As `progfix.external.predict_with_module` takes it.
        name: What to call it in errors.
        videos: Videos with features.
        device: Where to compute.
    """

    def embed(video: Video) -> Tensor:
        return torch.from_numpy(video.read()).to(device)

    @torch.inference_mode()
    def answer(segments: Sequence[Tensor]) -> list[SegmentAnswers]:
        module.eval()
        return [answer_segment(module, f"{name}, changed input", s) for s in segments]

    return Probing(videos, embed, answer)
