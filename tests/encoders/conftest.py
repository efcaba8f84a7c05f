"""The encoders of the users' checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from progfix.checkpoints.fields import section, weights
from progfix.checkpoints.reading import safe_load
from progfix.encoders import Encoder, rebuild_encoder

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("gtcc_*.pt"))


@pytest.fixture(params=NAMES or ["none"])
def gtcc_name(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if name == "none":
        pytest.skip(f"no checkpoints of the GTCC code base in {FIXTURES}")
    return name


@pytest.fixture
def gtcc_encoder(gtcc_name: str) -> Encoder:
    payload = safe_load(FIXTURES / f"{gtcc_name}.pt")
    table = section(payload, "model_state_dict")
    state = weights({str(n).removeprefix("module."): t for n, t in table.items()}, where=gtcc_name)
    encoder = {name: t for name, t in state.items() if not name.startswith("progress_head.")}
    return rebuild_encoder(encoder, {}, where=gtcc_name)
