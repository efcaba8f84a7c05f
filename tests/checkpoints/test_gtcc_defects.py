"""Users' checkpoints with something wrong: every defect is named."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.errors import InputError
from progfix.heads.spec import HeadSpec
from tests.checkpoints.made import BASELINE, POSITION, head_of, payload_of, save, small_encoder


def problems(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        open_checkpoint(path)
    return [str(problem) for problem in caught.value.problems]


def test_every_defect_of_the_weights_is_reported(tmp_path: Path) -> None:
    payload = payload_of(small_encoder(), head_of(BASELINE), {})
    state = payload["model_state_dict"]
    state["attention_layer.0.bias"][2] = float("nan")
    state["progress_head.fc.0.bias"][0] = float("inf")
    state["head_models.1.fc_layers.0.bias"] = torch.zeros(6, dtype=torch.int64)
    state["head_models.2.fc_layers.0.bias"] = "text"
    state["head_models.2.fc_layers.2.bias"] = torch.empty(0)
    found = problems(save(payload, tmp_path / "x.pt"))
    assert len(found) == 5
    assert "attention_layer.0.bias" in found[3]
    assert "1 values that are NaN or infinite" in found[3]


def test_weights_that_do_not_fit_together(tmp_path: Path) -> None:
    payload = payload_of(small_encoder(), head_of(BASELINE), {})
    state = payload["model_state_dict"]
    del state["head_models.1.fc_layers.2.weight"]
    state["head_models.2.fc_layers.4.weight"] = torch.zeros(8, 9)
    state["head_models.2.extra"] = torch.zeros(1)
    found = problems(save(payload, tmp_path / "x.pt"))
    assert [text.partition(": expected")[0].rpartition(" ")[2] for text in found] == [
        "head_models.1.fc_layers.2.weight",
        "head_models.2.fc_layers.4.weight",
        "head_models.2.extra",
    ]
    assert "expected weights of shape (8, 6), found shape (8, 9)" in found[1]
    assert "found none" in found[0]
    assert "expected no weights of this name" in found[2]


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("attention_layer", "no attention_layer"),
        ("head_models", "no head_models.0"),
        ("base_model", "expected the weights of an encoder"),
        ("progress_head.fc", "progress_head.fc.0.weight"),
        ("progress_head.gru.weight", "found gru.bias_ih_l0"),
    ],
)
def test_incomplete_networks(tmp_path: Path, gone: str, words: str) -> None:
    payload = payload_of(small_encoder(), head_of(BASELINE), {})
    state = payload["model_state_dict"]
    kept = OrderedDict((name, t) for name, t in state.items() if not name.startswith(gone))
    payload["model_state_dict"] = kept
    assert words in problems(save(payload, tmp_path / "x.pt"))[0]


def test_an_h0_that_a_pooled_head_has_no_use_for(tmp_path: Path) -> None:
    payload = payload_of(small_encoder(), head_of(HeadSpec(kind="pooled")), {})
    payload["model_state_dict"]["progress_head.h0"] = torch.zeros(1, 1, 64)
    (problem,) = problems(save(payload, tmp_path / "x.pt"))
    assert "progress_head.h0: expected no weights of this name" in problem


@pytest.mark.parametrize("wrong", [None, [], {}, 3, {"a": 1}])
def test_no_state_dict(tmp_path: Path, wrong: object) -> None:
    path = save({"model_state_dict": wrong}, tmp_path / "x.pt")
    assert "model_state_dict" in problems(path)[0]


@pytest.mark.parametrize("wrong", [None, [1], "text", {"PROGRESS_LOSS": 3}])
def test_a_configuration_that_says_nothing(tmp_path: Path, wrong: object) -> None:
    payload = payload_of(small_encoder(), head_of(POSITION), {"use_gru": True})
    payload["config"] = wrong
    (problem,) = problems(save(payload, tmp_path / "x.pt"))
    assert "found 9 without h0; pass --head-spec position or" in problem


def test_wild_shapes_cost_neither_time_nor_memory(tmp_path: Path) -> None:
    payload = payload_of(small_encoder(), head_of(BASELINE), {})
    state = payload["model_state_dict"]
    state["progress_head.gru.weight_ih_l0"] = torch.zeros(1, 1_000_000)
    state["progress_head.gru.weight_hh_l0"] = torch.zeros(1, 1_000_000)
    problems(save(payload, tmp_path / "x.pt"))
    state["attention_layer.0.weight"] = torch.zeros(1_000_000, 1)
    state["base_model.convolutional_layers.0.weight"] = torch.zeros(1, 1, 1_000_000)
    problems(save(payload, tmp_path / "x.pt"))
