"""A million rows of predictions, evaluated as a user would, and what it costs.

Times are of the processor, on one thread, so that other work on the machine does not count.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from progfix.evaluation import Evaluator
from progfix.predictions import Category, Predictions
from progfix.predictions_io import save_predictions

pytestmark = pytest.mark.slow

MEASURE = """
import resource, sys
from progfix.cli.app import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=sys.stderr)
"""


def _table(videos: int, segments: int, duration: int) -> Predictions:
    rng = np.random.default_rng(0)
    lengths = np.maximum(1, rng.poisson(duration, size=videos * segments))
    segment = np.repeat(np.arange(videos * segments), lengths)
    elapsed = np.arange(len(segment)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 1
    target = elapsed / lengths[segment]
    video = (segment // segments).astype(np.int32)
    return Predictions(
        video=Category(video, tuple(f"video-{i:05d}" for i in range(videos))),
        task=Category((video % 5).astype(np.int32), tuple(f"task {i}" for i in range(5))),
        action=Category((segment % 40).astype(np.int32), tuple(f"action {i}" for i in range(40))),
        segment=segment % segments,
        elapsed=elapsed,
        duration=lengths[segment],
        target=target,
        prediction=target + rng.normal(scale=0.2, size=len(target)),
    )


@pytest.mark.parametrize("ending", [".csv", ".h5", ".npz", ".parquet"])
def test_a_million_rows_in_ten_seconds_and_a_gibibyte(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"p{ending}"
    table = _table(1000, 20, 50)
    assert len(table) > 990_000
    save_predictions(path, [table])
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, "eval", str(path), "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        check=True,
    )
    seconds, peak = map(float, done.stderr.split()[-2:])
    found = json.loads(done.stdout)["sources"][0]
    assert found["frames"] == len(table)
    assert found["metrics"]["mae"]["low"] is not None
    sys.stdout.write(f"{ending}: {seconds:.1f} s, {peak:.0f} MiB, 1000 resamples included\n")
    assert seconds < 10
    assert peak < 1024


def test_a_thousand_resamples_of_a_thousand_videos_in_five_seconds() -> None:
    evaluator = Evaluator()
    evaluator.update(_table(1000, 20, 50))
    evaluator.compute()
    start = time.process_time()
    evaluator.compute(bootstrap=1000, by=("task", "action", "duration"))
    seconds = time.process_time() - start
    sys.stdout.write(f"bootstrap with all breakdowns: {seconds:.1f} s\n")
    assert seconds < 5


def test_memory_grows_with_segments_not_frames() -> None:
    sizes = []
    for duration in (50, 500):
        evaluator = Evaluator()
        evaluator.update(_table(50, 10, duration))
        sums = evaluator.compute().sums
        sizes.append(
            sum(values.nbytes for values in (*sums.segments.values(), *sums.tables.values()))
            + sums.runs.nbytes
        )
    assert sizes[0] == sizes[1]
