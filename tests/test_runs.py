"""Run folders, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from progfix import runs
from progfix.errors import InputError
from progfix.training.assemble import Request, run_to_resume


def run(folder: Path, text: bytes) -> Path:
    folder.mkdir(parents=True)
    (folder / runs.CONFIG).write_bytes(text)
    return folder


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"format": "progfix-run/1",\n "seed" 3}', "found damage in line 2, column 9 (Expecting"),
        (b"", "found an empty file"),
        (b'{"format": "\xff"}', "found bytes that are no UTF-8 text, the first at 12"),
        (b"[" * 100_000, "found "),
        (b"9" * 5000, "found Exceeds the limit"),
    ],
)
def test_a_damaged_configuration_is_said_to_be_damaged(
    tmp_path: Path, text: bytes, found: str
) -> None:
    folder = run(tmp_path / "runs" / "x", text)
    assert not runs.is_run(folder)
    for ask in (
        lambda: runs.read_config(folder),
        lambda: run_to_resume(Request(folder=folder)),
        lambda: runs.newest_run(tmp_path / "runs"),
    ):
        with pytest.raises(InputError) as caught:
            ask()
        assert str(caught.value).startswith(f"{folder / runs.CONFIG}: expected the JSON that")
        assert found in str(caught.value)


@pytest.mark.parametrize("text", [b"[]", b"{}", b'{"format": "progfix-run/9"}', b"null"])
def test_other_json_is_no_run_and_hides_none(tmp_path: Path, text: bytes) -> None:
    other = run(tmp_path / "b", text)
    with pytest.raises(InputError, match="found JSON of another format"):
        runs.read_config(other)
    with pytest.raises(InputError, match="found JSON of another format"):
        run_to_resume(Request(folder=other))
    assert runs.newest_run(tmp_path) is None
    mine = run(tmp_path / "a", b'\xef\xbb\xbf{"format": "progfix-run/1", "started": "2026"}')
    (tmp_path / "c" / runs.CONFIG).mkdir(parents=True)
    assert runs.newest_run(tmp_path) == mine


def test_a_missing_configuration(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no such file; give a run folder"):
        runs.read_config(tmp_path)
    with pytest.raises(InputError, match=r"found no config\.json of a run"):
        run_to_resume(Request(folder=tmp_path))


@pytest.mark.parametrize(
    ("text", "found"), [(b"", "an empty file"), (b"a,b", "damage in line 1"), (b"\xff", "no UTF-8")]
)
def test_a_file_that_is_no_configuration_is_not_said_to_be_damaged(
    tmp_path: Path, text: bytes, found: str
) -> None:
    file = tmp_path / "best.pt"
    file.write_bytes(text)
    with pytest.raises(InputError, match=r"give a run folder or the config\.json in it") as caught:
        runs.read_config(file)
    assert found in str(caught.value)
    assert "mend" not in str(caught.value)
