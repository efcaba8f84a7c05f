"""Predictions of a model, computed by several processes that share nothing.

They are processes since one interpreter keeps one core busy: reading, packing and judging
wait for each other in threads. Each has one PyTorch thread.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import connection, forkserver
from typing import TYPE_CHECKING

from progfix.errors import InputError, Problem
from progfix.hdf5_access.inspection import FileState, known_harmless, trust
from progfix.held_signals import held_signals

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from progfix.data.dataset import Dataset, Video
    from progfix.model import ProgressModel
    from progfix.predict import SegmentAnswers
    from progfix.predictions import Predictions

__all__ = ["begin_early", "predict_in_processes"]

_AHEAD = 2
"""Chunks that are computed, or wait to be looked at, for each process."""

_MODEL: list[ProgressModel] = []
"""The model of a worker process."""


def begin_early() -> None:
    """Have PyTorch imported for the workers while this process imports it for itself."""
    if _context().get_start_method() == "forkserver":
        forkserver.ensure_running()


def predict_in_processes(
    model: ProgressModel, data: Dataset, jobs: int, *, videos_per_chunk: int = 64
) -> Generator[Predictions]:
    """Yield what `progfix.predict.predict` does, computed by several processes on the CPU.

    Answers do not depend on the number of processes; from those of `predict` with several
    threads they differ by rounding.

    Args:
        model: The model, on the CPU.
        data: Videos with features.
        jobs: Processes, at least 1.
        videos_per_chunk: See `predict`.

    Yields:
        Tables of the frames of all segments, in chunks of whole videos, in the data's order.

    Raises:
        InputError: See `predict`; or if a process was killed.
    """
    from progfix.batching import chunks
    from progfix.predict import frames_table

    was_training = model.training
    model.eval()
    begin = partial(_begin, pickle.dumps(model), known_harmless())
    model.train(was_training)
    with ProcessPoolExecutor(jobs, _context(), begin) as pool:
        coming: deque[tuple[Sequence[Video], Future[SegmentAnswers]]] = deque()
        try:
            for videos in chunks(data.videos, videos_per_chunk, model.head.width):
                with held_signals():  # the first one begins processes, which is best not cut off
                    coming.append((videos, pool.submit(_answer, videos)))
                if len(coming) > _AHEAD * jobs:
                    yield frames_table(*_taken(coming))
            while coming:
                yield frames_table(*_taken(coming))
        except BrokenProcessPool as error:
            raise InputError(
                Problem(
                    f"--jobs {jobs}",
                    "processes that live until their work is done",
                    "one that was killed, most often for want of memory",
                    "ask for fewer with --jobs",
                )
            ) from error
        finally:
            for _, future in coming:
                future.cancel()


def _taken(
    coming: deque[tuple[Sequence[Video], Future[SegmentAnswers]]],
) -> tuple[Sequence[Video], Sequence[SegmentAnswers]]:
    videos, future = coming.popleft()
    return videos, [future.result()]


def _context() -> BaseContext:
    """Return how processes are begun: from one that has imported PyTorch, where that is safe."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["progfix.predict"])
    return context


def _begin(model: bytes, harmless: frozenset[FileState]) -> None:
    """Make this process a worker, which ends with the process that asked for it."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    trust(harmless)
    _MODEL.append(pickle.loads(model))  # noqa: S301  # of our own making


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _answer(videos: Sequence[Video]) -> SegmentAnswers:
    """Return the answers at videos' segments, joined, which takes a tenth of the sending."""
    from progfix.predict import answer_videos, join_answers, predict_segments

    (model,) = _MODEL
    return join_answers(
        answer_videos(model, videos, lambda segments: predict_segments(model.head, segments))
    )
