"""How the users' commits load a checkpoint, in few lines: which head they build for a file.

Written from the descriptions of their loaders; each returns the network with the weights
and the optimiser with its state loaded strictly, or raises as theirs would.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Head(nn.Module):
    """Their progress head: GRU, two linear layers; position and h0 come together."""

    def __init__(self, width: int, position: bool) -> None:
        super().__init__()
        self.gru = nn.GRU(width + position, 64, batch_first=True)
        self.position = position
        if position:
            self.h0 = nn.Parameter(torch.zeros(1, 1, 64))
        self.fc = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())

    def forward(self, prefix: Tensor) -> Tensor:
        frames = len(prefix)
        if self.position:
            column = torch.arange(frames, dtype=torch.float32)[:, None] / frames
            prefix = torch.cat([prefix, column], dim=1)
        state = self.h0 if self.position else None
        _, last = self.gru(prefix[None], state)
        answer: Tensor = self.fc(last[0, 0])[0]
        return answer


class Network(nn.Module):
    """The encoder as bare parameters, whatever they are, and the head."""

    def __init__(self, encoder: Mapping[str, Tensor], head: Head) -> None:
        super().__init__()
        for name, tensor in encoder.items():
            self.register_parameter(name.replace(".", "/"), nn.Parameter(torch.zeros_like(tensor)))
        self.progress_head = head


def load(commit: str, payload: Mapping[str, Any]) -> tuple[Network, torch.optim.Adam]:
    state = payload["model_state_dict"]
    if next(iter(state)).startswith("module."):
        state = OrderedDict((name[7:], tensor) for name, tensor in state.items())
    width = payload["config"]["OUTPUT_DIMENSIONALITY"]
    inputs = state["progress_head.gru.weight_ih_l0"].shape[1]
    learnable = payload["config"]["PROGRESS_LOSS"]["learnable"]
    position = {
        "3030255": False,
        "238da93": True,
        "8a6f44d": inputs == width + 1,
        # extract_progress.py; a frame count, its default, is a head of another width.
        "c864bd8": learnable.get("use_position_encoding", False),
    }[commit]
    if commit == "c864bd8" and learnable.get("use_frame_count", True):
        width += 1
    encoder = {n: t for n, t in state.items() if not n.startswith("progress_head.")}
    network = Network(encoder, Head(width, position))
    renamed = {
        name if name.startswith("progress_head.") else name.replace(".", "/"): tensor
        for name, tensor in state.items()
    }
    network.load_state_dict(renamed, strict=True)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
    optimiser.load_state_dict(payload["optimizer_state_dict"])
    return network, optimiser
