"""From exceptions to messages and exit statuses, in one place."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from progfix.errors import InputError, TrainingError

__all__ = ["fail", "user_errors"]


def fail(message: str, status: int) -> typer.Exit:
    """Write `error: message` to stderr and return the exception that ends with `status`."""
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(status)


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn errors into messages: 2 bad input, 3 training failed, 70 our bug, 130 interrupt."""
    try:
        yield
    except InputError as error:
        for problem in error.problems:
            typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None
    except TrainingError as error:
        raise fail(str(error), 3) from None
    except KeyboardInterrupt:
        raise fail("interrupted", 130) from None
    except BrokenPipeError:
        # The reader of our output went away (`progfix ... | head`): nothing to report.
        sys.stderr.close()
        raise typer.Exit(0) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:  # noqa: BLE001  # the last line of defence is meant to be broad
        with tempfile.NamedTemporaryFile(
            "w", prefix="progfix-traceback-", suffix=".txt", delete=False
        ) as file:
            file.write("".join(traceback.format_exception(error)))
        where = Path(file.name)
        raise fail(
            f"progfix itself failed ({type(error).__name__}: {error}); "
            f"the traceback is in {where}, please report it",
            70,
        ) from None
