"""From exceptions to messages and exit statuses, in one place."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import typer

from progfix.cli.terminal import voice
from progfix.cli.usage import UsageError, usage_problems
from progfix.errors import InputError, LostProcessError, Problem, TrainingError, listed

__all__ = ["fail", "user_errors"]

_NOT_OURS = (
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
)
"""What a path's file system refuses; a file that is not there may be our fault."""

_FULL = (errno.EDQUOT, errno.EFBIG, errno.ENOSPC)
"""What it says of stdout and of temporary files as well, without a path."""


def fail(message: str, status: int, *, said: bool = False) -> typer.Exit:
    """Return the exception that ends with `status`.

    `error: message` goes to stderr, unless another process of a run has `said` it.
    """
    if not said:
        typer.echo(f"error: {message}", err=True)
    return typer.Exit(status)


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn errors into messages: 2 bad input, 3 training failed, 70 our bug, 130 interrupt."""
    try:
        yield
    except (InputError, UsageError) as error:
        for problem in error.problems if isinstance(error, InputError) else usage_problems(error):
            fail(str(problem), 2, said=_another_says(error))
        raise typer.Exit(2) from None
    except TrainingError as error:
        raise fail(str(error), 3, said=_another_says(error)) from None
    except KeyboardInterrupt:
        raise fail("interrupted", 130) from None
    except (BrokenPipeError, SystemExit) as error:
        # Rich makes a SystemExit of the pipe's error, and so ends the printing of help.
        if BrokenPipeError not in (type(error), type(error.__context__)):
            raise
        raise _reader_gone() from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:  # noqa: BLE001  # the last line of defence is meant to be broad
        if isinstance(error, OSError) and _not_ours(error):
            raise fail(str(_unusable(error)), 2) from None
        raise _our_fault(error) from None


def _another_says(error: Exception) -> bool:
    """Whether this is one of several processes of a run, and another says what happened.

    Where all fail alike the first of each machine says it: only there a file may be missing.
    """
    if isinstance(error, LostProcessError):
        return not error.speaks
    several = os.environ.get("WORLD_SIZE", "1") != "1"
    return several and os.environ.get("LOCAL_RANK", "0") != "0"


def _not_ours(error: OSError) -> bool:
    return error.errno in (_NOT_OURS if error.filename is not None else _FULL)


def _unusable(error: OSError) -> Problem:
    """Say what a path's own system has against it, wherever it was asked."""
    expected, found = "a path that can be used", error.strerror or str(error)
    if error.filename is None:
        where = "standard output, or the folder for temporary files (TMPDIR)"
        return Problem(where, "a place that can be written", found, "free space there")
    return Problem(listed([error.filename]), expected, found, "check its name and permissions")


def _our_fault(error: Exception) -> typer.Exit:
    where = f"in {file}" if (file := _kept(error)) else "above"
    return fail(
        f"progfix itself failed ({type(error).__name__}: {error}); "
        f"the traceback is {where}, please report it",
        70,
    )


def _kept(error: Exception) -> str:
    """Return the file that the traceback was written to; empty where it is on the screen."""
    text = "".join(traceback.format_exception(error))
    if voice() != "verbose":
        with (
            suppress(OSError),
            tempfile.NamedTemporaryFile(
                "w", prefix="progfix-traceback-", suffix=".txt", delete=False
            ) as file,
        ):
            file.write(text)
            file.flush()
            return file.name
    typer.echo(text, err=True)
    return ""


def _reader_gone() -> typer.Exit:
    """End well where the reader of our output went away (`progfix ... | head`)."""
    with suppress(OSError):  # what is still in the buffer goes nowhere, without complaint
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return typer.Exit(0)
