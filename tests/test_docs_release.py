"""The changelog and the citation speak of the version that is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import progfix

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = ROOT / "docs" / "CITATION.cff"


def test_the_package_is_of_this_version() -> None:
    assert progfix.__version__ == PROJECT["version"]


def test_the_changelog_begins_with_this_version() -> None:
    text = (ROOT / "docs" / "changelog.md").read_text("utf-8")
    versions = re.findall(r"^## \[(.+?)\] - (unreleased|\d{4}-\d\d-\d\d)$", text, re.MULTILINE)
    assert versions[0][0] == PROJECT["version"]
    assert text.count("\n## ") == len(versions)


def test_the_citation_is_of_this_version() -> None:
    lines = CITATION.read_text("utf-8").splitlines()
    assert lines[0] == "cff-version: 1.2.0"
    assert f"version: {PROJECT['version']}" in lines
    assert f"license: {PROJECT['license']}" in lines


def test_the_citation_has_what_the_format_asks_for() -> None:
    yaml = pytest.importorskip("yaml", reason="comes with the extra docs")
    found = yaml.safe_load(CITATION.read_text("utf-8"))
    # Citation File Format 1.2.0: these four have to be there, all of the rest may be.
    assert {"cff-version", "message", "title", "authors"} <= set(found)
    assert all(isinstance(value, str | list) for value in found.values())  # 1.2.0, not 1.2
    assert found["title"] == PROJECT["name"]
    assert all(author["name"] for author in found["authors"])
    assert (ROOT / "LICENSE").read_text("utf-8").startswith(f"{found['license']} License")
