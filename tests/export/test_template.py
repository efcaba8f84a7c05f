"""Templates: what is kept, what is filled in, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from progfix.export import template

TEXT = """\
always
#[if a]
  a
#[if b not c]
  a and b without c
#[end]
#[or b]
  b alone
#[else]
  neither
#[end]
@x@ and @y@
"""


def rendered(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, features: set[str]) -> str:
    (folder / "templates").mkdir()
    (folder / "templates" / "t.py.txt").write_text(text)
    monkeypatch.setattr(template, "files", lambda _package: folder)
    return template.render("t", features, {"x": "1", "y": "2"})


@pytest.mark.parametrize(
    ("features", "kept"),
    [
        ("", "  neither\n"),
        ("a", "  a\n"),
        ("b", "  b alone\n"),
        ("ab", "  a\n  a and b without c\n"),
        ("abc", "  a\n"),
        ("c", "  neither\n"),
    ],
)
def test_the_first_branch_that_holds_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, features: str, kept: str
) -> None:
    text = rendered(monkeypatch, tmp_path, TEXT, set(features))
    assert text == f"always\n{kept}1 and 2\n"


@pytest.mark.parametrize("text", ["#[if a]\nx\n", "#[end]\n", "#[else]\n"])
def test_marks_that_do_not_match_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    with pytest.raises(ValueError, match="t: "):
        rendered(monkeypatch, tmp_path, text, set())


def test_a_value_that_is_missing_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(KeyError, match="z"):
        rendered(monkeypatch, tmp_path, "@z@\n", set())
