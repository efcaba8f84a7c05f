"""The same numbers: with other batches, threads, orders, processes and ways of merging."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from progfix.checkpoints import open_checkpoint
from progfix.data.dataset import ArrayFeatures, Dataset, Segment, Video
from progfix.data.options import DataOptions
from progfix.evaluation import Evaluation, Evaluator
from progfix.heads.spec import Attention, Convolution, HeadKind, HeadSpec
from progfix.model import ProgressModel
from progfix.predict import SegmentAnswers, predict, predict_segments
from progfix.predictions import Predictions
from progfix.solutions import apply
from progfix.sweeps import sweep
from progfix.training.recipe import SEED_RECIPE, Method
from progfix.training.run import start_run
from tests.heads.test_heads import WIDTH, head_of
from tests.made_predictions import cut_by_video, made_predictions
from tests.reliability.comparing import assert_same_result, assert_same_sweep
from tests.training.test_joint_runs import joint
from tests.training.test_run import ignore, options
from tests.training.tiny import write_tiny

TOLERANCE = 1e-6

GRU = ("", "a", "b", "f", "d", "h", "ab", "ah", "bdf", "fghs")
OTHERS: tuple[tuple[HeadKind, str], ...] = (
    ("pooled", ""),
    ("pooled", "a"),
    ("pooled", "f"),
    ("pooled", "h"),
    ("transformer", ""),
    ("transformer", "a"),
    ("transformer", "fh"),
    ("transformer", "d"),
    ("tcn", ""),
    ("tcn", "f"),
    ("tcn", "fh"),
    ("tcn", "d"),
)


def specs() -> list[HeadSpec]:
    """Every kind of head with the solutions that change what it computes."""
    made = []
    for kind, letters in (*(("gru", letters) for letters in GRU), *OTHERS):
        head = replace(SEED_RECIPE.head, kind=kind)
        if kind == "transformer":
            head = replace(head, attention=Attention(layers=1, heads=2, feedforward=8))
        elif kind == "tcn":
            head = replace(head, convolution=Convolution((1, 2)))
        made.append(apply(letters, replace(SEED_RECIPE, head=head)).head)
    return made


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def videos(lengths: list[list[int]]) -> list[Video]:
    """Videos whose segments have these lengths, one after the other."""
    rng = np.random.default_rng(0)
    made = []
    for number, durations in enumerate(lengths):
        segments, frames = [], 0
        for duration in durations:
            segments.append(Segment(frames, frames + duration - 1, "x"))
            frames += duration
        features = ArrayFeatures(rng.normal(size=(frames, WIDTH)).astype(np.float32))
        made.append(Video(f"v{number}", "task", frames, tuple(segments), features))
    return made


def answers(
    model: ProgressModel, chosen: list[Video], *, chunk: int, budget: int, number: int
) -> dict[str, np.ndarray]:
    """Each column of the predictions, by video."""

    def batched(segments: Sequence[torch.Tensor]) -> list[SegmentAnswers]:
        return predict_segments(model.head, segments, frames_per_batch=budget)

    with threads(number):
        data = Dataset(tuple(chosen), origin="made")
        table = Predictions.concat(predict(model, data, videos_per_chunk=chunk, predictor=batched))
    found = {}
    for part in cut_by_video(table):
        name = part.video.names[part.video.codes[0]]
        for column in ("prediction", "lower", "upper"):
            values = getattr(part, column)
            if values is not None:
                found[f"{name} {column}"] = values
    return found


@pytest.mark.parametrize("spec", specs(), ids=lambda spec: f"{spec.kind}-{spec.output}")
@settings(max_examples=8, deadline=None)
@given(
    lengths=st.lists(st.lists(st.integers(1, 25), min_size=1, max_size=4), min_size=1, max_size=6),
    chunk=st.integers(1, 7),
    budget=st.integers(1, 300),
    number=st.integers(1, 3),
    random=st.randoms(use_true_random=False),
)
def test_predictions_do_not_depend_on_batches_threads_or_order(
    spec: HeadSpec, lengths: list[list[int]], chunk: int, budget: int, number: int, random: Random
) -> None:
    model = ProgressModel(None, head_of(spec)).eval()
    made = videos(lengths)
    expected = answers(model, made, chunk=16, budget=65_536, number=1)
    random.shuffle(made)
    found = answers(model, made, chunk=chunk, budget=budget, number=number)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=TOLERANCE, err_msg=name)


def test_a_trained_model_with_an_encoder_answers_alike_too(tmp_path: Path) -> None:
    data = write_tiny(tmp_path / "tiny.h5")
    run = joint(
        tmp_path / "run", DataOptions(path=str(data)), "fgh", Method("gtcc", size=8, mcn=True)
    )
    model = open_checkpoint(start_run(run, ignore).folder).model
    made = videos([[20, 5], [30], [3, 3, 3]])
    expected = answers(model, made, chunk=16, budget=65_536, number=1)
    for order, chunk, budget, number in (((2, 0, 1), 1, 1, 2), ((1, 0, 2), 2, 40, 3)):
        shuffled = [made[place] for place in order]
        found = answers(model, shuffled, chunk=chunk, budget=budget, number=number)
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, rtol=0, atol=TOLERANCE, err_msg=name)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    gaps=st.booleans(),
    parts=st.integers(1, 5),
    random=st.randoms(use_true_random=False),
)
def test_metrics_merge_to_the_last_bit(seed: int, gaps: bool, parts: int, random: Random) -> None:
    table = made_predictions(seed, gaps=gaps, videos=9)
    chunks = cut_by_video(table)
    expected = evaluated([Predictions.concat(chunks)])
    random.shuffle(chunks)
    evaluators = [Evaluator() for _ in range(parts)]
    for chunk in chunks:
        random.choice(evaluators).update(chunk)
    first, *others = evaluators
    for other in others:
        first.merge(other)
    assert bits(computed(first)) == bits(expected)


def evaluated(chunks: list[Predictions]) -> Evaluation:
    evaluator = Evaluator()
    for chunk in chunks:
        evaluator.update(chunk)
    return computed(evaluator)


def computed(evaluator: Evaluator) -> Evaluation:
    return evaluator.compute(bootstrap=20, by=("task", "action", "duration"))


def bits(value: object) -> str:
    """Every number in an evaluation; `repr` of a float has all its digits, NaN equals NaN."""
    if isinstance(value, np.ndarray):
        return repr(value.tolist())
    if isinstance(value, dict):
        return repr({key: bits(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return repr([bits(item) for item in value])
    if hasattr(value, "__dataclass_fields__"):
        shown = [field.name for field in fields(value) if field.repr]  # type: ignore[arg-type]
        return repr([bits(getattr(value, name)) for name in shown])
    return repr(value)


@pytest.mark.parametrize("letters", ["fghsv", "ab"])
def test_training_twice_gives_the_same_bits(tmp_path: Path, letters: str) -> None:
    for name in ("one", "two"):
        start_run(options(tmp_path / name, letters, epochs=2), ignore)
    assert_same_result(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_a_sweep_gives_the_same_bits_with_any_number_of_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 128 columns: sums so long that PyTorch shares them out among its threads.
    monkeypatch.delenv("OMP_NUM_THREADS")
    for jobs in (1, 2, 3):
        sweep(
            ["fgs+method=gtcc", "fghsv"],
            seeds=2,
            data="procedures/1:tasks=1,videos=8",
            settings={"epochs": 1},
            out=tmp_path / str(jobs),
            jobs=jobs,
            device="cpu",
        )
    assert_same_sweep(tmp_path / "1", tmp_path / "2")
    assert_same_sweep(tmp_path / "1", tmp_path / "3")
