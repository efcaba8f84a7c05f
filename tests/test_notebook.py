"""What a notebook shows: a diagnosis, an evaluation and figures as HTML."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from matplotlib.figure import Figure

import progfix
from progfix.errors import InputError
from progfix.predictions_io import save_predictions
from progfix.sources import sources_of
from tests.made_predictions import made_predictions


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(html)
    assert parser.open == []
    return parser.seen


def test_a_diagnosis_is_its_report_in_a_frame() -> None:
    diagnosis = progfix.diagnose(made_predictions())
    ((tag, attributes),) = tags(diagnosis._repr_html_())
    assert tag == "iframe"
    page = attributes["srcdoc"]
    assert page is not None
    assert page.startswith("<!doctype html>")
    assert diagnosis.verdict.split(".")[0] in page.replace("&#x27;", "'")


def test_an_evaluation_is_a_table_of_what_is_defined() -> None:
    evaluator = progfix.Evaluator()
    evaluator.update(made_predictions())
    evaluation = evaluator.compute()
    html = evaluation._repr_html_()
    names = [tag for tag, attributes in tags(html) if attributes.get("scope") == "row"]
    assert len(names) == sum(e.value == e.value for e in evaluation.metrics.values())
    assert f"{evaluation['mae'].value:.4g}" in html
    assert "crps" not in html


def test_figures_of_tables_are_returned_and_shown() -> None:
    drawn = progfix.visualise([made_predictions(0), made_predictions(0)], ("curves", "positions"))
    assert list(drawn.figures) == ["curves", "positions"]
    assert all(isinstance(figure, Figure) for figure in drawn.figures.values())
    pictures = [attributes for tag, attributes in tags(drawn._repr_html_()) if tag == "img"]
    assert [picture["alt"] for picture in pictures] == ["curves", "positions"]
    assert all((p["src"] or "").startswith("data:image/png;base64,iVBOR") for p in pictures)


def _given(kind: str, tmp_path: Path) -> Any:
    table = made_predictions()
    save_predictions(tmp_path / "mine.csv", [table])
    columns = {
        "video": table.video.decode(),
        "task": table.task.decode(),
        **{name: getattr(table, name) for name in ("segment", "elapsed", "duration")},
        "prediction": table.prediction,
    }
    path = tmp_path / "mine.csv"
    return {"path": path, "text": str(path), "dict": columns, "arrow": pa.table(columns)}[kind]


@pytest.mark.parametrize("kind", ["path", "text", "dict", "arrow"])
def test_paths_and_tables_are_taken_where_predictions_are(kind: str, tmp_path: Path) -> None:
    given, same = _given(kind, tmp_path), made_predictions()
    found, expected = progfix.diagnose(given), progfix.diagnose(same)
    assert (found.verdict, found.summary.mae) == (expected.verdict, expected.summary.mae)
    evaluator, known = progfix.Evaluator(), progfix.Evaluator()
    evaluator.update(given)
    known.update(same)
    assert evaluator.compute()["mae"].value == known.compute()["mae"].value
    assert list(progfix.visualise(given, ("positions",)).figures) == ["positions"]
    drawn = progfix.visualise([given, same, given], ("positions",))
    assert list(drawn.figures) == ["positions"]
    labels = [source.label for source in sources_of([given, same, given])]
    assert len(set(labels)) == 3


def test_what_is_no_source_is_told_as_such(tmp_path: Path) -> None:
    calls: tuple[Callable[[Any], object], ...]
    calls = (progfix.diagnose, progfix.visualise, progfix.Evaluator().update)
    for call in calls:
        with pytest.raises(ValueError, match="expected predictions, a path"):
            call(7)
        with pytest.raises(InputError, match="no such file"):
            call(tmp_path / "nothing.csv")
    source = progfix.open_source(_given("path", tmp_path))
    with pytest.raises(ValueError, match="found Source"):
        progfix.Evaluator().update(source)  # type: ignore[arg-type]


def test_names_can_be_completed() -> None:
    assert set(progfix.__all__) <= set(dir(progfix))
    assert all(hasattr(progfix, name) for name in dir(progfix))
