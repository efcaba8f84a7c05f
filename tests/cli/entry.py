"""Runs the installed command as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ENTRY = Path(sys.executable).with_name("progfix")


def progfix(
    *arguments: str | Path, folder: Path, status: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `progfix` in a folder and check its exit status.

    Args:
        arguments: After the command's name.
        folder: Where to run.
        status: The exit status to expect.
        environment: Variables to set beside the usual ones.
    """
    done = subprocess.run(
        [ENTRY, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == status, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done
