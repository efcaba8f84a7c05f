import doctest
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from progfix.cli.app import app
from progfix.data.hdf5_writer import write_hdf5
from progfix.diagnosis import FINDINGS
from tests.diagnosis.data_pictures import DATA_PICTURES, DEFECTS
from tests.diagnosis.pictures import PICTURES, draw

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "diagnosis.md"
PAGES = {path.stem: path for path in (DOCS / "diagnosis").glob("*.md")}
IMAGES = DOCS / "images" / "findings"


@pytest.fixture(scope="module")
def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_finding_has_a_page_with_its_picture(text: str) -> None:
    assert set(PAGES) == set(PICTURES) == {check.id for check in FINDINGS} | set(DATA_PICTURES)
    for name, path in PAGES.items():
        page = path.read_text(encoding="utf-8")
        assert page.startswith(f"# {name}\n")
        assert "*How we know.*" in page
        assert "*What to do.*" in page
        assert re.search(rf"^!\[[^\]]{{20,}}\]\(\.\./images/findings/{name}\.png\)$", page, re.M)
        assert f"python -m tests.diagnosis.pictures docs/images/findings {name}\n" in page
        assert f"](diagnosis/{name}.md)" in text


def test_pictures_are_small() -> None:
    sizes = {path.stem: path.stat().st_size for path in IMAGES.glob("*.png")}
    assert set(sizes) == set(PICTURES)
    assert max(sizes.values()) < 40_000
    assert sum(sizes.values()) < 1_200_000


@pytest.mark.parametrize("name", ["duration-blind-embeddings", "non-finite", "mismatched-lists"])
def test_a_picture_is_drawn(name: str, tmp_path: Path) -> None:
    path = draw(name, tmp_path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert 1000 < path.stat().st_size < 40_000


# In our own layout a segment beyond the features is refused as no segment of the video.
@pytest.mark.parametrize("name", sorted(set(DEFECTS) - {"beyond-features"}))
def test_what_is_drawn_of_data_is_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / "data.h5"
    write_hdf5(path, DEFECTS[name]())
    done = CliRunner().invoke(app, ["data", "check", str(path), "--json"])
    assert name in {finding["id"] for finding in json.loads(done.stdout)["findings"]}


def test_the_example_runs() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried == 7
    assert failed == 0


def test_the_screen_is_what_the_command_prints(text: str) -> None:
    shown = re.search(r"^```\n(Looks fine.*?)```$", text, flags=re.MULTILINE | re.DOTALL)
    assert shown is not None
    arguments = ["diagnose", "baseline:constant", "--data", "procedures/1"]
    assert CliRunner().invoke(app, arguments).stdout == shown[1]
