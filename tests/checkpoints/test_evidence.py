"""Evidence of training: Adam's second moments, and weights at their initialisation."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.initialisation import head_within_initialisation
from progfix.checkpoints.moments import parameter_moments
from progfix.heads.base import ProgressHead
from progfix.heads.build import build_head
from progfix.heads.spec import Convolution, HeadSpec
from tests.checkpoints.made import AB, BASELINE, FIXTURES

TWO = {"a": (2,), "b": (1, 3)}


def adam_state(steps: int) -> tuple[dict[Any, Any], list[list[torch.Tensor]]]:
    """Adam on two parameters, and the gradients that it was given."""
    torch.manual_seed(0)
    parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in TWO.values()]
    optimiser = torch.optim.Adam(parameters, betas=(0.9, 0.99))
    history = []
    for _ in range(steps):
        gradients = [torch.randn(shape) for shape in TWO.values()]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimiser.step()
        history.append(gradients)
    return optimiser.state_dict(), history


@pytest.mark.parametrize("steps", [1, 2, 30])
def test_moments_are_the_weighted_mean_square_of_the_gradients(steps: int) -> None:
    state, history = adam_state(steps)
    moments = parameter_moments(TWO, state)
    assert moments is not None
    # v = (1 - b) sum b^(n-k) g_k^2, divided by 1 - b^n: weights that add up to 1.
    shares = [0.99 ** (steps - k) * 0.01 / (1 - 0.99**steps) for k in range(1, steps + 1)]
    assert sum(shares) == pytest.approx(1)
    for index, name in enumerate(TWO):
        squares = sum(
            share * g[index].double() ** 2 for share, g in zip(shares, history, strict=True)
        )
        assert isinstance(squares, torch.Tensor)
        assert moments[name].rms == pytest.approx(float(squares.mean()) ** 0.5, rel=1e-5)
        assert moments[name].max == pytest.approx(float(squares.max()) ** 0.5, rel=1e-5)
        assert moments[name].step == steps


def test_a_constant_gradient_is_its_own_moment() -> None:
    state = {"step": torch.tensor(5.0), "exp_avg_sq": torch.full((2,), 4.0 * (1 - 0.999**5))}
    optimiser = {
        "param_groups": [{"betas": (0.9, 0.999), "params": [0]}],
        "state": {0: state},
    }
    moments = parameter_moments({"a": (2,)}, optimiser)
    assert moments is not None
    assert (moments["a"].rms, moments["a"].max) == pytest.approx((2, 2))
    assert moments["a"].step == 5


def test_parameters_without_state_are_left_out() -> None:
    state, _ = adam_state(3)
    del state["state"][1]
    assert list(parameter_moments(TWO, state) or ()) == ["a"]
    state["state"].clear()
    assert parameter_moments(TWO, state) is None


def test_state_that_does_not_fit_is_no_evidence() -> None:
    state, _ = adam_state(3)
    assert parameter_moments({"a": (2,)}, state) is None
    assert parameter_moments({**TWO, "c": (1,)}, state) is None
    assert parameter_moments({"a": (3,), "b": (1, 3)}, state) is None
    assert parameter_moments(TWO, {}) is None
    assert parameter_moments(TWO, {"state": 3, "param_groups": "x"}) is None
    for key, value in (("betas", None), ("betas", (0.9, 1.0)), ("params", 3)):
        changed = {**state, "param_groups": [{**state["param_groups"][0], key: value}]}
        assert parameter_moments(TWO, changed) is None
    parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in TWO.values()]
    sgd = torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    sgd.step()
    assert parameter_moments(TWO, sgd.state_dict()) is None


SPECS = [
    BASELINE,
    AB,
    HeadSpec(kind="pooled", extra=("elapsed",)),
    HeadSpec(output="increment", last_bias=-3.0),
    HeadSpec(hidden=20, last_bias=-2.0),
    HeadSpec(kind="transformer", extra=("elapsed",)),
    HeadSpec(kind="tcn"),
    HeadSpec(kind="tcn", convolution=Convolution(norm="batch"), last_bias=-2.0),
]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("seed", range(5))
def test_a_fresh_head_lies_within_its_initialisation(spec: HeadSpec, seed: int) -> None:
    torch.manual_seed(seed)
    head = build_head(spec, 128)
    assert head_within_initialisation(head)
    with torch.no_grad():  # what the failing recipe moves it by
        for parameter in head.parameters():
            parameter.add_(1.5e-7 * torch.sign(parameter))
    assert head_within_initialisation(head)


def moved(head: ProgressHead, name: str, value: float) -> bool:
    with torch.no_grad():
        dict(head.named_parameters())[name].view(-1)[0] = value
    return head_within_initialisation(head)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("gru.weight_ih_l0", 0.1249, 0.1251),  # 1/sqrt(64)
        ("gru.bias_hh_l0", -0.1249, -0.1251),
        ("fc.0.weight", 0.1249, 0.1251),
        ("fc.2.weight", 0.1767, 0.1769),  # 1/sqrt(32)
        ("fc.2.bias", 0.1767, 0.1769),
        ("fc.2.bias", -2.0, -1.9),  # where the fork starts it
        ("h0", 0.0, 1e-4),
        ("layers.0.norm1.weight", 1.0, 0.999),
        ("input_proj.1.bias", 0.0, 1e-4),
        ("blocks.0.norm.weight", 1.0, 1.001),
        ("blocks.0.conv_dilated.weight", 0.0721, 0.0723),  # 1/sqrt(64 x 3)
    ],
)
def test_the_bounds(name: str, inside: float, outside: float) -> None:
    heads = (AB, HeadSpec(kind="transformer"), HeadSpec(kind="tcn"))
    spec = next(s for s in heads if name in build_head(s, 128).state_dict())
    assert moved(build_head(spec, 128), name, inside)
    assert not moved(build_head(spec, 128), name, outside)


@pytest.mark.parametrize(
    ("name", "untrained"),
    [("gtcc_frozen_head", True), ("gtcc_trained_head", False), ("gtcc_ab", False)],
)
def test_the_users_heads(name: str, untrained: bool) -> None:
    path = FIXTURES / f"{name}.pt"
    if not path.exists():
        pytest.skip("no checkpoints of the GTCC code base")
    assert head_within_initialisation(open_checkpoint(path).model.head) is untrained


def test_a_few_steps_of_training_leave_the_bounds() -> None:
    torch.manual_seed(0)
    head = build_head(AB, 8)
    optimiser = torch.optim.Adam(head.parameters(), lr=1e-3)
    for _ in range(20):
        optimiser.zero_grad()
        head(torch.randn(2, 6, 8), torch.tensor([6, 4])).sum().backward()
        optimiser.step()
    assert not head_within_initialisation(head)
