"""The first step of Adam, which the audit takes by the formula."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor, nn

from progfix.diagnosis.step_audit import first_step


@pytest.mark.parametrize(
    ("optimiser", "decay"),
    [
        (lambda p: torch.optim.Adam(p, lr=0.01), 0.0),
        (lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.3), 0.3),
    ],
)
def test_the_first_step_is_that_of_torch(
    optimiser: Callable[[Iterable[Tensor]], torch.optim.Optimizer], decay: float
) -> None:
    torch.manual_seed(0)
    # Gradients as small as those of a starved head: there epsilon decides.
    gradient = torch.randn(40) * 10.0 ** -torch.arange(40).div(4)
    gradient[0] = 0.0
    parameter = nn.Parameter(torch.randn(40))
    before = parameter.detach().clone()
    parameter.grad = gradient
    expected = first_step(parameter, 0.01, decay)
    assert expected is not None
    optimiser([parameter]).step()
    torch.testing.assert_close(before - parameter.detach(), expected, atol=3e-7, rtol=1e-5)


def test_without_a_gradient_nothing_moves() -> None:
    assert first_step(nn.Parameter(torch.ones(2)), 0.1, 0.1) is None
