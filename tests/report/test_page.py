"""The page: well-formed, self-contained, and usable without eyes or a mouse."""

import dataclasses
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from progfix.diagnosis import Diagnosis, compare_diagnoses, diagnose
from progfix.predictions import Predictions, segment_predictions
from progfix.report import render_page, take_pictures, write_report
from progfix.report.markup import element, text
from progfix.report.style import STYLE
from progfix.sources import Source
from tests.diagnosis.planted import planted
from tests.diagnosis.planting import DISEASES, HEALTHY, healthy

VOID = {"meta", "!doctype"}


class Reader(HTMLParser):
    """Collects elements, and checks that they are closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def source_of(kind: str) -> Source:
    table = planted(kind, "medium", seed=0)
    return Source(kind, "predictions", chunks=lambda: iter([table]))


@pytest.fixture(scope="module")
def with_model() -> Diagnosis:
    return DISEASES["starved gradients"].plant(healthy(0)).diagnose()


@pytest.fixture(scope="module")
def page() -> str:
    source = source_of("constant")
    return render_page(diagnose(source), take_pictures([source]))


def test_it_is_well_formed_and_its_links_lead_somewhere(page: str, with_model: Diagnosis) -> None:
    for text_of_page in (page, render_page(with_model)):
        read = Reader(text_of_page)
        ids = [a["id"] for _, a in read.elements if "id" in a]
        assert len(ids) == len(set(ids))
        for link in read.all("a"):
            assert str(link["href"]).removeprefix("#") in ids
        for _, attributes in read.elements:
            for name in str(attributes.get("aria-labelledby") or "").split():
                assert name in ids


def test_nothing_is_fetched_and_nothing_runs(page: str, with_model: Diagnosis) -> None:
    for text_of_page in (page, render_page(with_model)):
        read = Reader(text_of_page)
        assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in read.elements}
        assert not any("src" in a or "onload" in a for _, a in read.elements)
        assert "url(" not in text_of_page
        assert set(re.findall(r"https?://[^\"' ]+", text_of_page)) <= {"http://www.w3.org/2000/svg"}
        assert len(text_of_page) < 3_000_000


def test_a_screen_reader_gets_what_the_eye_gets(page: str) -> None:
    read = Reader(page)
    assert read.all("html")[0]["lang"] == "en"
    assert next(tag for tag, _ in read.elements if tag in ("h1", "h2")) == "h1"
    drawings = read.all("svg")
    assert len(drawings) >= 8
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in drawings)
    assert all(a["scope"] in {"row", "col"} for a in read.all("th"))
    assert len(read.all("caption")) == len(read.all("table"))
    # What scrolls can be reached by keyboard.
    assert all(a["tabindex"] == "0" for a in read.all("pre"))
    said = " ".join(read.words)
    assert "Ladder of mean absolute errors" in said
    assert "error: collapsed-range" in said


def test_headings_and_landmarks_lead_through_the_page(page: str, with_model: Diagnosis) -> None:
    for text_of_page in (page, render_page(with_model)):
        read = Reader(text_of_page)
        levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        # No level is left out on the way down.
        assert all(after <= before + 1 for before, after in pairwise(levels))
        for landmark in ("header", "nav", "main", "footer"):
            assert len(read.all(landmark)) == 1
        assert read.all("nav")[0]["aria-label"]
        # What scrolls has a name, and the keyboard gets there; the first stop skips the links.
        scrolls = [a for a in read.all("div") if a.get("class") == "wide"]
        assert scrolls
        assert all(a["tabindex"] == "0" and a["role"] == "region" for a in scrolls)
        assert all(a["aria-label"] for a in scrolls)
        assert read.all("a")[0] == {"href": "#report", "class": "skip"}
        assert "report" in [a.get("id") for a in read.all("main")]
        # Nothing takes the keyboard's order into its own hands.
        assert {a["tabindex"] for _, a in read.elements if "tabindex" in a} == {"0"}
        assert len(read.all("details")) == len(read.all("summary"))


def test_paper_shows_what_a_screen_unfolds() -> None:
    paper = STYLE.partition("@media print {")[2]
    assert "details::details-content { content-visibility: visible" in paper
    assert "nav, .skip { display: none; }" in paper


def test_a_thousand_videos_make_a_page_no_larger() -> None:
    sizes = []
    for number in (50, 1000):
        table = Predictions.concat(
            segment_predictions(np.linspace(0.2, 0.8, 30), video=f"video {i}")
            for i in range(number)
        )
        source = Source("counted", "predictions", chunks=[table].__iter__)
        sizes.append(len(render_page(diagnose(source), take_pictures([source]))))
    assert sizes[1] < 3_000_000
    assert sizes[1] < 1.05 * sizes[0]


def test_the_whole_diagnosis_is_told(with_model: Diagnosis) -> None:
    said = " ".join(" ".join(Reader(render_page(with_model)).words).split())
    assert with_model.verdict in said
    assert with_model.fault.words in said
    assert str(with_model.fix_command) in said
    for finding in with_model.findings:
        assert finding.id in said
        assert finding.title in said
    for probe in with_model.probes.inputs:
        assert probe.what in said
    for entry in (*with_model.notices, *(n.reason for n in with_model.not_checked)):
        assert entry in said
    assert "One step of the recipe on a copy" in said


def test_what_comes_from_outside_is_no_markup() -> None:
    evil = "<script>alert(1)</script>\x1b"
    diagnosis = dataclasses.replace(diagnose(planted("constant", "short", 0)), source=evil)
    page = render_page(diagnosis)
    assert "<script>" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page
    assert element("p", "a & b", title='"<') == '<p title="&quot;&lt;">a &amp; b</p>'
    assert text(element("b", "<")) == "<b>&lt;</b>"


def test_two_sources_are_laid_over_each_other() -> None:
    sources = [source_of("constant"), source_of("noisy")]
    comparison = compare_diagnoses(*(diagnose(source) for source in sources))
    page = render_page(comparison.after, take_pictures(sources), comparison)
    said = " ".join(Reader(page).words)
    assert "What changed" in said
    assert "collapsed-range" in said
    assert page.count('class="curve repaired"') == page.count('class="curve mine"') == 6


def test_a_folder_has_json_figures_and_page(tmp_path: Path) -> None:
    source = source_of("early")
    files = write_report(tmp_path / "new", [source], diagnose(source))
    assert [file.name for file in files] == [
        "diagnosis.json",
        "curves.png",
        "positions.png",
        "density.png",
        "ladder.png",
        "report.html",
    ]
    assert all(file.stat().st_size > 500 for file in files)


def test_without_predictions_there_is_nothing_to_draw(tmp_path: Path) -> None:
    nothing = Source("x", "predictions", why_not="nothing given")
    files = write_report(tmp_path, [nothing], diagnose(nothing))
    assert [file.name for file in files] == ["diagnosis.json", "report.html"]
    assert "Nothing to judge" in files[-1].read_text()


def test_a_healthy_head_has_a_page_too() -> None:
    page = render_page(HEALTHY["sees"](0).diagnose())
    assert "No fault found" in page


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_in_light_and_dark() -> None:
    schemes = re.findall(r":root \{([^}]*--mine[^}]*)\}", STYLE)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w+)", scheme))
        for back in (colours["back"], colours["panel"]):
            for name in ("fore", "quiet", "error", "warning", "info"):
                pair = sorted((luminance(colours[name]), luminance(back)))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, name
