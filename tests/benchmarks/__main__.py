"""All benchmarks, one after the other, each in a process of its own.

    python -m tests.benchmarks [NAME ...] [--full] [--json FILE]

Prints what each prints, with the time and the peak memory of its process; the settings are
fast ones unless `--full` is given. `--json` also writes everything to a file: rows where a
benchmark gives them, else the lines that it prints.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from tests.benchmarks.processes import Measured, run


@dataclass(frozen=True)
class Benchmark:
    """A program of this folder.

    Attributes:
        measures: What, in a line.
        fast: Arguments for a first look; for the figures in docs there are none.
        json: Where its JSON goes: instead of the table, to a file beside it, or nowhere.
    """

    measures: str
    fast: tuple[str, ...] = ()
    json: Literal["instead", "beside", "none"] = "none"


BENCHMARKS = {
    "head_evaluation": Benchmark(
        "every frame in one pass, against a pass for every prefix", json="instead"
    ),
    "head_kinds": Benchmark("kinds of heads: a pass and a step"),
    "alignment_losses": Benchmark("losses against loops and libraries", ("--quick",), "instead"),
    "streaming": Benchmark("features from a file, against features in memory"),
    "diagnosing": Benchmark("diagnose at several sizes", ("--videos", "50"), "instead"),
    "planted_diseases": Benchmark(
        "how often planted diseases are found", ("--seeds", "1", "--pair-seeds", "0")
    ),
    "scale": Benchmark(
        "evaluation and training of many segments, against reading and arithmetic alone",
        ("--segments", "1000"),
        "beside",
    ),
    "gpu_head": Benchmark(
        "training steps and evaluation on a GPU", ("--segments", "64", "1024"), "instead"
    ),
}


def measured(name: str, *, full: bool, as_json: bool) -> tuple[Measured, str, Any]:
    """Run a benchmark.

    Returns:
        What its process took, what to print, and what to write as JSON.
    """
    benchmark = BENCHMARKS[name]
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *(() if full else benchmark.fast)]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "found.json"
        if as_json and benchmark.json == "beside":
            took, text = run([*command, "--json", str(file)])
            return took, text, json.loads(file.read_text())
    if as_json and benchmark.json == "instead":
        took, text = run([*command, "--json"])
        found = json.loads(text)
        return took, tables(found), found
    took, text = run(command)
    return took, text, text.splitlines()


def tables(found: object) -> str:
    """Return what a benchmark gave as JSON for people: its rows as a table, the rest in lines."""
    if isinstance(found, dict):
        return "".join(
            tables(value) if isinstance(value, list) else f"{name}: {value}\n"
            for name, value in found.items()
        )
    if not isinstance(found, list) or not found:
        return f"{found}\n"
    lines = ["| " + " | ".join(found[0]) + " |", "|---" * len(found[0]) + "|"]
    lines += ["| " + " | ".join(map(_cell, row.values())) + " |" for row in found]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--full", action="store_true", help="as for the figures in docs")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(
            f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}"
        )
    report: dict[str, Any] = {}
    for name in options.names or BENCHMARKS:
        sys.stdout.write(f"## {name}: {BENCHMARKS[name].measures}\n\n")
        sys.stdout.flush()
        took, text, found = measured(name, full=options.full, as_json=options.json is not None)
        sys.stdout.write(f"{text.rstrip()}\n\n{took.wall:.0f} s, {took.mib:.0f} MiB at most\n\n")
        report[name] = {"took": asdict(took), "found": found}
        if options.json is not None:
            options.json.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
