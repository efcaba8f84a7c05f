"""Runs `progfix eval` in this process, which is much faster than starting one."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from typer.testing import CliRunner

from progfix.cli.app import app

BASELINES = (
    "baseline:constant",
    "baseline:frame-counting",
    "baseline:frame-counting-per-action",
)


class Done(NamedTuple):
    """What a command printed."""

    stdout: str
    stderr: str


def run(*arguments: object, status: int = 0) -> Done:
    """Run the application in this process, 80 columns wide, and check its exit status."""
    runner = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"})
    result = runner.invoke(app, list(map(str, arguments)))
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return Done(result.stdout, result.stderr)


def evaluated(*arguments: object) -> Mapping[str, object]:
    """Return what `progfix eval --json` prints; fail with its errors."""
    found: Mapping[str, object] = json.loads(run("eval", *arguments, "--json").stdout)
    return found


def value(found: object, *keys: str | int) -> float:
    """Follow keys into JSON to a number."""
    for key in keys:
        found = found[key]  # type: ignore[index]
    assert isinstance(found, int | float)
    return found
