"""docs/code.md describes the tree that is there, and every page can be reached."""

from __future__ import annotations

import re
from pathlib import Path

import progfix

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "progfix"


def test_every_package_and_module_is_in_the_table_and_nothing_else() -> None:
    text = (DOCS / "code.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    told = {name.rstrip("/") for row in rows for name in re.findall(r"`(.+?)`", row)}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.name for path in PACKAGE.glob("[!_]*.py")}
    assert packages | modules <= told
    for name in told:
        assert (PACKAGE / name).exists(), name


def test_files_named_in_the_table_exist() -> None:
    text = (DOCS / "code.md").read_text(encoding="utf-8")
    known = {path.name for path in PACKAGE.rglob("*.py")}
    assert set(re.findall(r"`(\w+\.py)`", text)) <= known


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    entries = [
        line
        for tree in re.findall(r"```{toctree}\n(.*?)```", index, re.DOTALL)
        for line in tree.splitlines()
        if line and not line.startswith(":")
    ]
    reached = {path for entry in entries for path in DOCS.glob(f"{entry}.md")}
    assert reached == set(DOCS.rglob("*.md")) - {DOCS / "index.md"}


def test_readme_links_to_every_page_that_is_none_of_a_finding() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in DOCS.glob("*.md")} - {"index.md", "changelog.md"}
    assert {name for name in pages if f"](docs/{name})" not in readme} == set()


def test_the_api_page_has_every_public_name_and_what_pages_import() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert {n for n in progfix.__all__ if f"`progfix.{n}`" not in text} == {"__version__"}
    documented = set(re.findall(r"automodule:: (\S+)", text))
    pages = [page for page in DOCS.glob("*.md") if page.name != "extending.md"]
    imported = {
        name
        for page in pages
        for name in re.findall(r"^(?:>>> )?from (progfix\S*) import", page.read_text("utf-8"), re.M)
    }
    inner = ("progfix.metrics.alignment.", "progfix.plots.")  # explained where they are used
    assert {n for n in imported if not n.startswith(inner)} <= documented
