"""Evaluation and training of 10^3 to 10^5 segments, against reading and the GRU alone.

    python -m tests.benchmarks.scale [FOLDER] [--segments 1000 10000 100000] [--solution fgs]
                                     [--jobs 2] [--no-train] [--json FILE] [--plot FILE]

FOLDER, by default a temporary one, takes the data (`tests.benchmarks.scale_data`, float16,
26 kB a segment) and keeps it for the next time. `progfix eval` scores a checkpoint on all
segments, in one process and in several, and `progfix train` trains a head for one epoch with
256 MB of features kept, as a user types them; start-up, the bootstrap and the file's
inspection count.

The floor is the larger of two things, each alone in a process of its own: reading the same
features (h5py, as stored, then float32), and the arithmetic of the head (torch.nn.GRU over
packed sequences, then its linear layers, on numbers that are there already).

Every process computes in one thread. Wall-clock time and processor time are both given: on a
busy machine only the latter means something, but it counts what two cores do at once twice.
Memory is the largest sum over the process and its children.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.processes import Measured, run
from tests.benchmarks.scale_data import FRAMES, PER_VIDEO, write_scale

SIZES = (1000, 10_000, 100_000)
BAR = 1.5
MEMORY_MIB = 2048

_FLOORS = (sys.executable, "-m", "tests.benchmarks.scale_floors")
_PROGFIX = (sys.executable, "-m", "progfix")


def measure(
    folder: Path, segments: int, checkpoint: Path, *, jobs: int, train: str | None
) -> dict[str, Any]:
    """Return a row of the table."""
    file = folder / f"scale-{segments}.h5"
    if not file.exists():
        write_scale(file, segments)
    alone = {
        name: Measured(**json.loads(run([*_FLOORS, name, str(file), str(checkpoint)])[1]))
        for name in ("reading", "arithmetic")
    }
    evaluate = [*_PROGFIX, "eval", str(checkpoint), "--data", str(file), "--split", "all"]
    evaluated = {
        name: run([*evaluate, "--json", *more])[0]
        for name, more in (("evaluation", ()), ("jobs", ("--jobs", str(jobs))))
    }
    floor = max(found.wall for found in alone.values())
    row: dict[str, Any] = {
        "segments": segments,
        "frames": segments // PER_VIDEO * FRAMES,
        "bytes": file.stat().st_size,
        **{name: asdict(found) for name, found in alone.items()},
        **{name: asdict(found) for name, found in evaluated.items()},
        "ratios": {name: found.wall / floor for name, found in evaluated.items()},
    }
    if train is not None:
        with TemporaryDirectory(dir=folder) as out:
            row["training"] = asdict(run([*_train(file, train), "--out", f"{out}/run"])[0])
    return row


def _train(file: Path, solution: str) -> list[str]:
    settings = ["--solution", solution, "--epochs", "1", "--cache-gib", "0.25"]
    return [*_PROGFIX, "train", "--data", str(file), *settings]


def checkpoint_for(folder: Path, solution: str) -> Path:
    """Return a head trained for one epoch on the smallest size."""
    found = folder / f"head-{solution}"
    if not found.exists():
        file = folder / f"scale-{SIZES[0]}.h5"
        if not file.exists():
            write_scale(file, SIZES[0])
        run([*_train(file, solution), "--out", str(found)])
    return found


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table: seconds by the clock, by the processor in brackets."""
    lines = [
        "| segments | reading | arithmetic | `eval` | ratio | MiB | `--jobs` | ratio | MiB "
        "| `train`, one epoch | MiB |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [f"{row['segments']:,}", *(_seconds(row[n]) for n in ("reading", "arithmetic"))]
        for name, ratio in row["ratios"].items():
            cells += [_seconds(row[name]), f"{ratio:.2f}", f"{row[name]['mib']:.0f}"]
        trained = row.get("training")
        cells += ["", ""] if trained is None else [_seconds(trained), f"{trained['mib']:.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _seconds(found: dict[str, float]) -> str:
    return f"{found['wall']:.1f} ({found['cpu']:.1f})"


def growth(rows: Sequence[dict[str, Any]], what: str) -> float:
    """Return the exponent with which processor time grows between the two largest sizes."""
    small, large = sorted(rows, key=lambda row: int(row["segments"]))[-2:]
    ratio = large["segments"] / small["segments"]
    return math.log(large[what]["cpu"] / small[what]["cpu"]) / math.log(ratio)


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw processor time over the sizes, with the floor and the bar."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    sizes = [row["segments"] for row in rows]
    floor = [max(row["reading"]["cpu"], row["arithmetic"]["cpu"]) for row in rows]
    shown = {
        "reading alone": [row["reading"]["cpu"] for row in rows],
        "the head's arithmetic alone": [row["arithmetic"]["cpu"] for row in rows],
        "progfix eval": [row["evaluation"]["cpu"] for row in rows],
        "progfix eval --jobs": [row["jobs"]["cpu"] for row in rows],
    }
    if all("training" in row for row in rows):
        shown["progfix train, one epoch"] = [row["training"]["cpu"] for row in rows]
    for name, seconds in shown.items():
        axes.plot(sizes, seconds, marker="o", label=name)
    axes.fill_between(sizes, floor, [BAR * s for s in floor], alpha=0.2, label="up to 1.5 floors")
    axes.set(xscale="log", yscale="log", xlabel="segments", ylabel="seconds of processor time")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all sizes, print the table, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--segments", type=int, nargs="+", default=SIZES)
    parser.add_argument("--solution", default="fgs")
    parser.add_argument("--jobs", type=int, default=2, help="processes of the second evaluation")
    parser.add_argument("--no-train", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args(arguments)
    rows = []
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        checkpoint = checkpoint_for(folder, options.solution)
        for segments in options.segments:
            train = None if options.no_train else options.solution
            rows.append(measure(folder, segments, checkpoint, jobs=options.jobs, train=train))
            sys.stderr.write(f"{segments:,} segments measured\n")
    sys.stdout.write(table(rows) + "\n")
    if len(rows) > 1:
        for what in ("evaluation", "jobs", "training")[: 2 if options.no_train else 3]:
            sys.stdout.write(f"{what} grows with the power {growth(rows, what):.2f}\n")
    if options.json:
        report = {
            "solution": options.solution,
            "jobs": options.jobs,
            "bar": BAR,
            "memory_mib": MEMORY_MIB,
            "rows": rows,
        }
        options.json.write_text(json.dumps(report, indent=2))
    if options.plot:
        draw(rows, options.plot)


if __name__ == "__main__":
    main()
