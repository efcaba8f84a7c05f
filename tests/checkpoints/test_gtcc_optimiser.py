"""A head written back: what becomes of the optimiser state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.gtcc_writing import write_gtcc
from progfix.checkpoints.reading import safe_load
from progfix.heads.spec import HeadSpec
from tests.checkpoints import their_code
from tests.checkpoints.made import (
    AB,
    BASELINE,
    EXPRESSIBLE,
    H0,
    head_of,
    same,
    written,
)


def adam_after_a_step(spec: HeadSpec) -> tuple[Any, dict[str, Any]]:
    head = head_of(spec, 128)
    optimiser = torch.optim.Adam(head.parameters(), lr=1e-3)
    head(torch.randn(2, 9, 128), torch.tensor([9, 5])).sum().backward()
    optimiser.step()
    return head, {n: optimiser.state[p] for n, p in head.named_parameters()}


@pytest.mark.parametrize("spec", EXPRESSIBLE)
@pytest.mark.parametrize("kept", [True, False])
def test_the_optimiser_goes_on(source: Path, tmp_path: Path, spec: HeadSpec, kept: bool) -> None:
    old: dict[str, Any] = safe_load(source)["optimizer_state_dict"]  # type: ignore[assignment]
    original = open_checkpoint(source)
    head, adam = adam_after_a_step(spec)
    path = tmp_path / "x.pt"
    write_gtcc(original, head.state_dict(), spec, path, adam=adam if kept else None)
    payload: dict[str, Any] = safe_load(path)
    new = payload["optimizer_state_dict"]
    names = list(payload["model_state_dict"])
    (group,) = new["param_groups"]
    assert group["params"] == list(range(len(names)))
    assert {k: v for k, v in group.items() if k != "params"} == {
        k: v for k, v in old["param_groups"][0].items() if k != "params"
    }
    for index, name in enumerate(names):
        if "progress_head" not in name:
            assert same(new["state"].get(index), old["state"].get(index))
        elif not kept:
            assert index not in new["state"]
    if not kept:
        assert open_checkpoint(path).moments is None
        return
    moments = open_checkpoint(path).moments
    assert moments is not None
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None
        # After one step the bias-corrected second moment is the gradient itself; a column
        # of zeros for a position that was not there leaves the sum of squares as it is.
        entries = parameter.numel()
        if spec == H0 and name == "gru.weight_ih_l0":
            entries += parameter.shape[0]
        rms = float((parameter.grad.double() ** 2).sum() / entries) ** 0.5
        assert moments[f"head.{name}"].rms == pytest.approx(rms, rel=1e-5)
        assert moments[f"head.{name}"].step == 1
    their_code.load("3030255" if spec == BASELINE else "238da93", payload)


@pytest.mark.parametrize("groups", ["head-only", "several", "foreign", "none"])
def test_other_optimisers(tmp_path: Path, baseline_path: Path, groups: str) -> None:
    payload: dict[str, Any] = safe_load(baseline_path)
    entry = {"lr": 0.1, "betas": (0.9, 0.999), "params": list(range(8))}
    table: Any = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [entry]}
    if groups == "several":
        table["param_groups"] = [entry, {**entry, "params": [8, 9]}]
    elif groups == "foreign":
        entry["params"] = [0, 1]
    elif groups == "none":
        table = None
    payload["optimizer_state_dict"] = table
    torch.save(payload, tmp_path / "source.pt")
    new = written(tmp_path / "source.pt", AB, tmp_path / "x.pt")["optimizer_state_dict"]
    if groups == "none":
        assert new is None
        return
    assert new["state"] == {}
    expected = list(range(9)) if groups == "head-only" else entry["params"]
    assert new["param_groups"][0]["params"] == expected
