"""Thousands of mutated files: refused in four parts, or valid; nothing else."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from progfix.hdf5_access import inspection
from tests.fuzz import mutations, seeds
from tests.fuzz.case import Kind, read


@dataclass(frozen=True)
class Target:
    """What is mutated.

    Attributes:
        kind: What the files are read as.
        make: Makes valid files in a folder; one of them is mutated at a time.
        mutate: How.
        cases: How many.
        given: What is read, below the folder; the file itself where it is empty.
    """

    kind: Kind
    make: Callable[[Path], list[Path]]
    mutate: mutations.Mutation
    cases: int
    given: str = ""


TARGETS = {
    "csv": Target("predictions", seeds.predictions(".csv"), mutations.mutated_table, 4000),
    "csv of few columns": Target("predictions", seeds.few_columns, mutations.mutated_table, 4000),
    "npz": Target("predictions", seeds.predictions(".npz"), mutations.mutated_archive, 2500),
    "parquet": Target("predictions", seeds.predictions(".parquet"), mutations.mutated_bytes, 1500),
    "json": Target("data", seeds.labels, mutations.mutated_json, 3000, "x.json"),
    "ms-tcn": Target("data", seeds.frames, mutations.mutated_bytes, 2000, "x"),
    "checkpoint": Target("checkpoint", seeds.checkpoint, mutations.mutated_archive, 2000),
    "checkpoint before 1.6": Target(
        "checkpoint", seeds.legacy_checkpoint, mutations.mutated_bytes, 1000
    ),
    "config": Target("config", seeds.run, mutations.mutated_json, 1000),
    "history": Target("history", seeds.history, mutations.mutated_table, 1000),
}
HDF5 = {
    "own data": Target("data", seeds.own_hdf5, mutations.mutated_bytes, 250),
    "foreign data": Target("data", seeds.foreign_hdf5, mutations.mutated_bytes, 250),
    "chunked data": Target("data", seeds.chunked_hdf5, mutations.mutated_bytes, 250),
    "own predictions": Target(
        "predictions", seeds.predictions(".h5"), mutations.mutated_bytes, 125
    ),
    "foreign predictions": Target(
        "predictions", seeds.foreign_predictions, mutations.mutated_bytes, 125
    ),
}


def fuzz(name: str, target: Target, folder: Path) -> Counter[str]:
    """Read every mutation of a target's files.

    The environment variable PROGFIX_FUZZ_SEED draws others.
    """
    seed = os.environ.get("PROGFIX_FUZZ_SEED", "0")
    files = target.make(folder)
    sound = {path: path.read_bytes() for path in files}
    outcomes: Counter[str] = Counter()
    given = folder / target.given if target.given else files[0]
    assert read(target.kind, given)
    for number in range(target.cases):
        rng = Random(f"{name} {seed} {number}")  # noqa: S311  # a test's draws
        path = rng.choice(files)
        # A new file, since readers may hold the old one.
        path.unlink()
        path.write_bytes(target.mutate(sound[path], rng))
        started = time.monotonic()
        try:
            outcomes["valid" if read(target.kind, given) else "refused"] += 1
        except BaseException as error:
            error.add_note(f"{name}: case {number} of seed {seed}, left in {path}")
            raise
        assert time.monotonic() - started < 10, f"{name}: case {number} of seed {seed}"
        path.write_bytes(sound[path])
    assert outcomes.total() == target.cases
    assert outcomes["refused"] > target.cases / 20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(
        f"{name}: {target.cases:,} cases, {outcomes['refused']:,} refused, "
        f"{outcomes['valid']:,} valid, peak {peak:,} MiB\n"
    )
    return outcomes


def test_there_are_enough_cases() -> None:
    assert sum(target.cases for target in TARGETS.values()) >= 20_000
    assert sum(target.cases for target in HDF5.values()) >= 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_mutations(name: str, tmp_path: Path) -> None:
    fuzz(name, TARGETS[name], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", HDF5)
def test_mutations_of_hdf5(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A child that hangs is one that hangs, after one second or eight.
    monkeypatch.setattr(inspection, "BUSY_SECONDS", 1.0)
    fuzz(name, HDF5[name], tmp_path)
