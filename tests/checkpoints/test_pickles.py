"""No pickle is executed: what one would import is found by name and refused."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from progfix.checkpoints.pickles import imports, pickles
from progfix.checkpoints.reading import safe_load
from tests.checkpoints.made import refusal


class Call:
    """Pickles as a call, which plain unpickling would make."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


WAYS: dict[str, Callable[[object, Path], object]] = {
    "zip": lambda payload, path: torch.save(payload, path),
    "legacy": lambda payload, path: torch.save(payload, path, _use_new_zipfile_serialization=False),
    **{
        f"pickle-{protocol}": lambda payload, path, protocol=protocol: path.write_bytes(  # type: ignore[misc]
            pickle.dumps(payload, protocol=protocol)
        )
        for protocol in range(6)
    },
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("function", "code", "name"),
    [
        (os.system, "touch {}", f"{os.system.__module__}.system"),
        (builtins.eval, "open({!r}, 'w')", "builtins.eval"),
        (builtins.exec, "open({!r}, 'w').close()", "builtins.exec"),
        (Path.touch, "", "touch"),
    ],
)
def test_a_call_is_refused_by_name_and_not_made(
    tmp_path: Path, way: str, function: Callable[..., object], code: str, name: str
) -> None:
    target = tmp_path / "made"
    argument = target if function is Path.touch else code.format(str(target))
    path = tmp_path / "hostile.pt"
    try:
        WAYS[way]({"model_state_dict": Call(function, argument)}, path)
    except pickle.PicklingError:
        pytest.skip("this protocol cannot name the function")
    found = refusal(path)
    assert name in found or "getattr" in found
    assert not target.exists()


def test_the_calls_above_would_be_made_by_pickle(tmp_path: Path) -> None:
    path, target = tmp_path / "hostile.pt", tmp_path / "made"
    torch.save({"x": Call(os.system, f"touch {target}")}, path)
    torch.load(path, weights_only=False)
    assert target.exists()


def test_a_reduce_of_an_allowed_name_with_a_wild_argument_claims_no_memory(tmp_path: Path) -> None:
    for index, call in enumerate(
        [
            Call(bytearray, 1 << 40),
            Call(torch.Tensor, 1 << 40),
            Call(torch.UntypedStorage, 1 << 40),
        ]
    ):
        path = tmp_path / f"{index}.pt"
        torch.save({"x": call}, path)
        assert "imports" in refusal(path)


@pytest.mark.parametrize(
    ("opcodes", "expected"),
    [
        (b"cos\nsystem\n.", {"os.system"}),
        (b"c__builtin__\neval\n.", {"builtins.eval"}),
        (b"(ios\nsystem\n.", {"os.system"}),
        (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93.", {"os.system"}),
        # Names taken from the memo, in either order of storing them.
        (b"\x80\x04\x8c\x06system\x94\x8c\x02os\x94h\x01h\x00\x93.", {"os.system"}),
        (
            b"\x80\x04X\x02\x00\x00\x00osq\x05X\x06\x00\x00\x00systemh\x05\x8c\x06system\x93.",
            {"os.system"},
        ),
        (b"\x80\x04K\x01K\x02\x93.", {"a name made at run time"}),
        (b"\x80\x02\x82\x07.", {"extension 7"}),
        (b"\x80\x02}.", set()),
    ],
)
def test_imports_are_found_in_every_spelling(opcodes: bytes, expected: set[str]) -> None:
    assert imports(next(pickles(opcodes))) == expected


def test_imports_agree_with_what_pickle_looks_up() -> None:
    looked_up: set[str] = set()

    class Recorder(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            looked_up.add(f"{module}.{name}")
            return super().find_class(module, name)

    value = [OrderedDict(a=1), np.float64(1), Path("x"), {1, 2}, complex(1, 2), range(3)]
    for protocol in range(6):
        data = pickle.dumps(value, protocol=protocol)
        looked_up.clear()
        Recorder(io.BytesIO(data)).load()
        modern = {
            name.replace("__builtin__", "builtins").replace("copy_reg", "copyreg")
            for name in looked_up
        }
        assert imports(next(pickles(data))) == modern


def test_the_users_files_need_no_more_than_is_allowed(gtcc_path: Path) -> None:
    with zipfile.ZipFile(gtcc_path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        names = [
            str(argument)
            for opcode, argument, _ in pickletools.genops(archive.read(name))
            if opcode.name == "GLOBAL"
        ]
    assert "easydict EasyDict" in names
    payload = safe_load(gtcc_path)
    assert list(payload) == [
        "config",
        "epoch",
        "loss",
        "model_state_dict",
        "optimizer_state_dict",
    ]
    config = payload["config"]
    assert isinstance(config, OrderedDict)
    assert config["DATASET_NAME"] == "egoprocel"
