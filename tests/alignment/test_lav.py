from __future__ import annotations

import math

import pytest
import torch

from progfix.alignment import lav, pad_videos
from tests.alignment import oracles
from tests.alignment.inputs import batch, walks


def test_single_frames_by_hand() -> None:
    # One path of cost |(3, 4)|^2 = 25; a frame's distance to itself, in the window, is 0.
    embeddings = torch.tensor([[[0.0, 0.0]], [[3.0, 4.0]]])
    assert lav(embeddings, torch.tensor([1, 1])).item() == pytest.approx(25)


def test_collapsed_videos_by_hand() -> None:
    # Two frames each, all alike: soft-DTW is -gamma log 3. With window 0 the two far entries
    # of I have W = (1/2)^2 + 1 and hinge 2: I = 2 x 1.25 x 2 = 5. Divided by 2 frames.
    value = lav(torch.ones(2, 2, 3, dtype=torch.float64), torch.tensor([2, 2]), window=0)
    assert value.item() == pytest.approx((-0.1 * math.log(3) + 0.5 * (5 + 5)) / 2)


@pytest.mark.parametrize("per_frame", [True, False])
def test_matches_the_loop(per_frame: bool) -> None:
    videos = walks(6, 9, 7, scale=0.3)
    value = lav(*pad_videos(videos), window=2, gamma=0.2, per_frame=per_frame)
    expected = oracles.lav([v.numpy() for v in videos], 0.2, 0.5, 2, 2.0, per_frame)
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_one_video_is_contrasted_with_itself() -> None:
    video = walks(7, scale=0.3)[0]
    alone = lav(*pad_videos([video]), window=2)
    twice = lav(*pad_videos([video, video]), window=2)
    path = oracles.soft_dtw(oracles.squared(video.numpy(), video.numpy()), 0.1) / 7
    assert alone.item() == pytest.approx(twice.item() - path)


def test_gradcheck() -> None:
    embeddings, lengths = batch(4, 5)
    assert torch.autograd.gradcheck(
        lambda e: lav(e, lengths, window=1), embeddings.requires_grad_()
    )


def test_refuses_parameters_out_of_range() -> None:
    embeddings, lengths = batch(3, 3)
    with pytest.raises(ValueError, match="gamma > 0"):
        lav(embeddings, lengths, gamma=-1)
    with pytest.raises(ValueError, match="window >= 0"):
        lav(embeddings, lengths, window=-1)
