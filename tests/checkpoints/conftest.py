"""The users' checkpoints, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkpoints.made import FIXTURES, NAMES


@pytest.fixture(params=NAMES or ["none"])
def gtcc_path(request: pytest.FixtureRequest) -> Path:
    if request.param == "none":
        pytest.skip(f"no checkpoints of the GTCC code base in {FIXTURES}")
    return FIXTURES / f"{request.param}.pt"


@pytest.fixture
def baseline_path() -> Path:
    path = FIXTURES / "gtcc_baseline.pt"
    if not path.exists():
        pytest.skip(f"no checkpoints of the GTCC code base in {FIXTURES}")
    return path


@pytest.fixture(params=["baseline", "ab_ddp", "frame_count", "frozen_head"])
def source(request: pytest.FixtureRequest) -> Path:
    """One file of each kind: plain, prefixed, with a configured head, with moments."""
    path = FIXTURES / f"gtcc_{request.param}.pt"
    if not path.exists():
        pytest.skip(f"no checkpoints of the GTCC code base in {FIXTURES}")
    return path
