"""What a notebook shows: a diagnosis, an evaluation and figures as HTML."""

from __future__ import annotations

from html.parser import HTMLParser

from matplotlib.figure import Figure

import progfix
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
