"""Figures for notebooks: returned, saved in every format, and honest about what is missing."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from progfix.errors import InputError
from progfix.plots.drawings import KINDS
from progfix.runs import HISTORY
from progfix.sources import Source
from progfix.training.history import EpochRow, write_history
from progfix.visualisation import FORMATS, Format, save, visualise
from tests.plots.made import offset, source, video


def two_sources() -> list[Source]:
    durations = {"u": [1, 12, 30], "v": [25, 9], "w": [40]}
    return [
        source(name, *(video(v, d, offset(by)) for v, d in durations.items()))
        for name, by in (("before", 0.3), ("after", 0.1))
    ]


def with_interval(plain: Source) -> Source:
    chunks = [
        replace(c, lower=c.prediction - 0.2, upper=c.prediction + 0.2, pit=c.target)
        for c in (plain.chunks or list)()
    ]
    return replace(plain, chunks=lambda: iter(chunks))


def run_folder(folder: Path) -> Source:
    rows = [
        EpochRow(
            epoch=n + 1,
            steps=n * 10,
            train_loss=1 / (n + 1),
            skipped=0,
            head_gradient=1.0,
            head_applied=1.0,
            val_mae=0.2,
            val_skill_constant=0.1,
            val_skill_frame_counting=n / 10,
            best=n == 3,
            seconds=1.0,
        )
        for n in range(4)
    ]
    write_history(folder / HISTORY, rows)
    return replace(two_sources()[0], kind="run", path=folder)


def test_figures_are_returned_in_the_order_asked_for() -> None:
    result = visualise(two_sources(), ("positions", "curves"), num_segments=3)
    assert [drawing.kind for drawing in result.drawings] == ["positions", "curves"]
    assert all(isinstance(drawing.figure, Figure) for drawing in result.drawings)
    assert result.left_out == {}
    curves = result.drawings[1]
    assert sum(axes.axison for axes in curves.figure.axes) == 3
    assert [line.value for line in curves.sparklines] == pytest.approx([0.3, 0.1] * 3)


def test_all_that_the_sources_allow_is_drawn_without_a_warning(tmp_path: Path) -> None:
    sources = [run_folder(tmp_path), with_interval(two_sources()[1])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = visualise(sources, KINDS, style="paper", num_segments=2)
        save(result, tmp_path / "paper")
    assert [drawing.kind for drawing in result.drawings] == list(KINDS)
    assert sorted(p.name for p in (tmp_path / "paper").iterdir()) == sorted(
        f"{kind}.png" for kind in KINDS
    )


def test_what_cannot_be_drawn_is_said() -> None:
    result = visualise(two_sources(), KINDS)
    assert set(result.left_out) == {"calibration", "training"}
    assert "lower, upper" in result.left_out["calibration"]
    assert "run" in result.left_out["training"]


def test_sources_with_nothing_in_common_or_nothing_at_all() -> None:
    a, b = source("a", video("u", [4], offset(0))), source("b", video("v", [4], offset(0)))
    result = visualise([a, b], ("curves", "ladder", "timeline"))
    assert result.left_out["curves"] == "the sources have no segment in common"
    assert [drawing.kind for drawing in result.drawings] == ["ladder"]
    nan = source("nan", video("u", [4], lambda t: t * np.nan))
    assert visualise([nan]).drawings == ()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = visualise([a, nan], KINDS)
        assert len(result.drawings) == 5
        for drawing in result.drawings:
            drawing.figure.draw_without_rendering()
    blind = Source("c", "checkpoint", why_not="it does not say what data")
    result = visualise([blind])
    assert "c: no predictions, it does not say what data" in result.notices
    assert set(result.left_out) == {"curves", "positions"}


def test_bad_calls() -> None:
    with pytest.raises(ValueError, match="expected sources and kinds"):
        visualise([], ("curves",))
    with pytest.raises(ValueError, match="expected sources and kinds"):
        visualise(two_sources(), ("pie",))  # type: ignore[arg-type]


MAGIC: dict[Format, bytes] = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-", "svg": b"<?xml"}


@pytest.mark.parametrize("file_format", FORMATS)
def test_files_are_what_they_are_called_and_the_same_each_time(
    tmp_path: Path, file_format: Format
) -> None:
    contents = []
    for attempt in ("a", "b"):
        result = visualise(two_sources(), ("curves",), num_segments=1, style="paper")
        (file,) = save(result, tmp_path / attempt, file_format)
        assert file == tmp_path / attempt / f"curves.{file_format}"
        contents.append(file.read_bytes())
    assert contents[0].startswith(MAGIC[file_format])
    assert contents[0] == contents[1]


def test_fonts_are_embedded_as_truetype_and_names_in_svg_are_outlines(tmp_path: Path) -> None:
    result = visualise(two_sources(), ("curves",), num_segments=1)
    (pdf,) = save(result, tmp_path, "pdf")
    content = pdf.read_bytes()
    assert b"/FontFile2" in content  # a TrueType program in the file
    assert b"/Subtype /Type3" not in content
    assert b"/Subtype /CIDFontType2" in content or b"/Subtype /TrueType" in content
    (svg,) = save(result, tmp_path, "svg")
    text = svg.read_text()
    assert "<text" not in text
    assert "<defs>" in text


def test_an_older_figure_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "ladder.png").write_bytes(b"old")
    save(visualise(two_sources(), ("ladder",)), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["ladder.png"]
    assert (tmp_path / "ladder.png").read_bytes() != b"old"


def test_a_folder_that_is_a_file_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="out"):
        save(visualise(two_sources(), ("ladder",)), tmp_path / "out")


def test_reading_and_drawing_are_observed() -> None:
    said: list[str] = []
    visualise(two_sources(), ("ladder",), observe=said.append)
    assert said[0] == "before: 43 frames"
    assert "after: 117 frames" in said
    assert said[-1] == "drawing ladder"
