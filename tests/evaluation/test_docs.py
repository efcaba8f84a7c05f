import doctest
import re
from pathlib import Path

import pytest

import progfix.evaluation.evaluator
from progfix.evaluation import METRICS
from progfix.predictions_io import ALIASES, COLUMNS, FORMATS

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("page", ["metrics.md", "predictions.md"])
def test_the_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (DOCS / page).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
    example = doctest.DocTestParser().get_doctest(code, {}, page, page, 0)
    assert len(example.examples) > 2
    assert doctest.DocTestRunner().run(example).failed == 0


def test_the_docstring_example_runs() -> None:
    found = doctest.testmod(progfix.evaluation.evaluator)
    assert found.attempted > 0
    assert found.failed == 0


def test_every_metric_is_defined_in_the_docs() -> None:
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    explained = text.replace("`_p50`", "`prediction_p50`").replace("`_p95`", "`prediction_p95`")
    for name in METRICS:
        if not name.startswith("skill"):
            assert f"`{name}" in explained, name


def test_every_column_alias_and_ending_is_in_the_docs() -> None:
    text = (DOCS / "predictions.md").read_text(encoding="utf-8")
    for name in (*COLUMNS, *FORMATS, *(alias for names in ALIASES.values() for alias in names)):
        assert f"`{name}`" in text, name
