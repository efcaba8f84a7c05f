"""The normal distribution's logarithm against SciPy's."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_ndtr as reference

from progfix.export.log_ndtr import log_ndtr


@given(st.floats(-1e4, 40.0))
def test_it_is_scipys_far_into_the_tail(x: float) -> None:
    found = log_ndtr(torch.tensor([x], dtype=torch.float64)).item()
    wanted = float(reference(x))
    assert abs(found - wanted) <= 1e-13 * max(1.0, abs(wanted))


def test_at_zero_it_is_log_one_half_and_it_never_falls() -> None:
    x = torch.linspace(-40, 8, 100_001, dtype=torch.float64)
    values = log_ndtr(x).numpy()
    assert np.isfinite(values).all()
    assert (np.diff(values) >= -1e-13).all()
    assert abs(log_ndtr(torch.zeros(1, dtype=torch.float64)).item() + np.log(2)) < 1e-15
