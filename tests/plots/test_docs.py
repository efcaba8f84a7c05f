"""The gallery's code runs, and every kind of figure has its section."""

from __future__ import annotations

import doctest
from pathlib import Path

from progfix.plots.drawings import KINDS

GALLERY = Path(__file__).parents[2] / "docs" / "gallery.md"


def test_code_in_the_gallery_runs() -> None:
    failed, tried = doctest.testfile(str(GALLERY), module_relative=False)
    assert tried > 10
    assert failed == 0


def test_every_kind_stands_in_the_gallery_under_its_command() -> None:
    sections = GALLERY.read_text(encoding="utf-8").split("\n## ")
    for kind in KINDS:
        (section,) = [s for s in sections if s.lower().startswith(kind)]
        assert "progfix viz " in section
        assert kind == "curves" or f"--kind {kind}" in section
