"""Packing in one gather gives what PyTorch's own packing gives, gradients included."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from progfix.heads.packing import pack


@pytest.mark.parametrize("lengths", [[3], [1, 4, 2, 4, 1], [5, 4, 3], [2, 2, 2]])
def test_it_is_what_torch_packs(lengths: list[int]) -> None:
    padded = torch.arange(len(lengths) * 6 * 2.0).reshape(len(lengths), 6, 2)
    sizes = torch.tensor(lengths)
    mine, its = pack(padded, sizes), pack_padded_sequence(padded, sizes, True, False)
    assert mine.batch_sizes.equal(its.batch_sizes)
    # Sequences of one length may lie in another order, so both are unpacked.
    unpacked, found = pad_packed_sequence(mine, batch_first=True)
    assert unpacked.equal(pad_packed_sequence(its, batch_first=True)[0])
    assert found.equal(sizes)


def test_a_recurrence_and_its_gradients_are_the_same() -> None:
    torch.manual_seed(0)
    gru, sizes = nn.GRU(3, 4, batch_first=True), torch.tensor([2, 5, 1, 4])
    gradients = []
    for packed in (pack, lambda x, n: pack_padded_sequence(x, n, True, False)):
        padded = torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
        states, hidden = gru(packed(padded, sizes))
        (pad_packed_sequence(states, batch_first=True)[0].square().sum() + hidden.sum()).backward()
        assert padded.grad is not None
        gradients.append(padded.grad)
    assert (gradients[0][0, 2:] == 0).all()
    torch.testing.assert_close(gradients[0], gradients[1])
