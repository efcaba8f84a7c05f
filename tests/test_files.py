"""Writing without losing what is there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from progfix.errors import InputError
from progfix.files import (
    atomic_path,
    require_writable_folder,
    temporary_file,
    temporary_folder,
)


def test_a_link_stays_and_leads_to_the_new_file(tmp_path: Path) -> None:
    real, link = tmp_path / "there" / "real.txt", tmp_path / "link.txt"
    real.parent.mkdir()
    real.write_text("old")
    link.symlink_to(real)
    with atomic_path(link) as path:
        path.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert [file.name for file in real.parent.iterdir()] == ["real.txt"]


def test_what_is_no_regular_file_is_never_replaced(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for target in (pipe, link):
        with pytest.raises(InputError, match="found a device") as caught, atomic_path(target) as p:
            p.write_text("x")
        assert str(target) in str(caught.value)
    assert pipe.is_fifo()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link", "pipe"]


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError), atomic_path(target) as path:
        path.write_text("half\ud800", encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "old"


def test_a_folder_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(InputError) as caught:
        require_writable_folder(file)
    assert str(caught.value).startswith(
        f"{file}: expected a folder that can be written, found a file; "
    )
    with pytest.raises(InputError) as caught:
        require_writable_folder(file / "below")
    assert f"{file / 'below'}: expected a folder that can be written, found Not a" in str(
        caught.value
    )
    assert file.read_text() == "x"


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    require_writable_folder(tmp_path / "a" / "b")
    assert not any((tmp_path / "a" / "b").iterdir())


def test_a_temporary_folder_is_gone_afterwards() -> None:
    with temporary_folder() as folder:
        (folder / "a").write_text("a")
    assert not folder.exists()


def test_no_place_for_temporary_files_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="set TMPDIR"):
        temporary_file()
    with pytest.raises(InputError, match="set TMPDIR"), temporary_folder():
        pass
