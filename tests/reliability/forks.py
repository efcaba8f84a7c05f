"""Runs progfix in forks of one process that has imported PyTorch, and kills some of them.

Starting Python and importing PyTorch takes longer than a tiny run; a fork begins at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Forks"]


class Forks:
    """A server of forks, to be used in a `with` block."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.forks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
            text=True,
        )

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stdin.close()  # type: ignore[union-attr]
        self._server.wait(60)

    def run(
        self, *arguments: str | Path, folder: Path, kill_after: float | None = None
    ) -> dict[str, Any]:
        """Run `progfix` in a folder.

        Args:
            arguments: After the command's name.
            folder: Where.
            kill_after: Seconds after which the process is killed, if it has not ended.

        Returns:
            `status` (-9 if killed), `seconds`, and `said` (stdout and stderr).
        """
        job = {"arguments": [str(a) for a in arguments], "folder": str(folder)}
        self._server.stdin.write(json.dumps({**job, "kill_after": kill_after}) + "\n")  # type: ignore[union-attr]
        self._server.stdin.flush()  # type: ignore[union-attr]
        answer: dict[str, Any] = json.loads(self._server.stdout.readline())  # type: ignore[union-attr]
        assert "Traceback" not in answer["said"], answer["said"]
        return answer


def _serve() -> None:
    # Before the first fork; every other module comes with these, or takes a moment.
    import progfix.cli.app
    import progfix.diagnosis.worker
    import progfix.evaluation.report
    import progfix.training.assemble
    import progfix.training.idle
    import progfix.training.run  # noqa: F401

    for line in sys.stdin:
        job = json.loads(line)
        said = Path(job["folder"]) / "said.txt"
        began = time.monotonic()
        child = os.fork()
        if not child:
            _become(job["arguments"], job["folder"], said)
        status = _wait(child, job["kill_after"], began)
        seconds = time.monotonic() - began
        answer: Mapping[str, object] = {
            "status": status,
            "seconds": seconds,
            "said": said.read_text() if said.exists() else "",
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _become(arguments: Sequence[str], folder: str, said: Path) -> None:
    from progfix.cli.app import main

    os.chdir(folder)
    output = os.open(said, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    for stream, number in ((sys.stdin, 0), (sys.stdout, 1), (sys.stderr, 2)):
        os.dup2(os.open(os.devnull, os.O_RDONLY) if stream is sys.stdin else output, number)
    sys.argv = ["progfix", *arguments]
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(end.code or 0))
    finally:
        os._exit(99)


def _wait(child: int, kill_after: float | None, began: float) -> int:
    while kill_after is not None:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        left = began + kill_after - time.monotonic()
        if left <= 0:
            os.kill(child, signal.SIGKILL)
            break
        time.sleep(min(left, 0.002))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    _serve()
