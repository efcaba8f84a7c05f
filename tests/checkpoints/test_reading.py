"""No pickle is executed, and whatever is wrong with a file is one message."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import pickletools
import random
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.pickles import imports, pickles
from progfix.checkpoints.reading import LARGEST_PICKLE, safe_load
from progfix.errors import InputError


class Call:
    """Pickles as a call, which plain unpickling would make."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def message(path: Path) -> str:
    """The single problem of a file that is refused, after less than five seconds."""
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        safe_load(path)
    assert time.monotonic() - started < 5
    assert len(caught.value.problems) == 1
    problem = caught.value.problems[0]
    assert str(path) in problem.where
    assert all((problem.expected, problem.found, problem.fix))
    return problem.found


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
    found = message(path)
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
        assert "imports" in message(path)


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


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    assert message(tmp_path / "missing.pt") == "nothing of this name"
    assert message(tmp_path) == "a folder"
    assert message(write(tmp_path / "empty.pt", b"")) == "an empty file"
    assert message(write(tmp_path / "text.pt", b"epoch,loss\n0,0.5\n")) == "text"
    assert message(write(tmp_path / "noise.pt", b"\x00\xff\x13\x37" * 9)).startswith("bytes that")
    assert "plain pickle" in message(write(tmp_path / "plain.pt", pickle.dumps({"a": 1})))
    assert "gzip" in message(write(tmp_path / "x.gz", b"\x1f\x8b\x08\x00rest"))
    with h5py.File(tmp_path / "data.pt", "w") as file:
        file["x"] = [1]
    assert message(tmp_path / "data.pt") == "an HDF5 file"
    np.save(tmp_path / "array.npy", np.zeros(3))
    assert message(tmp_path / "array.npy") == "a NumPy array"
    np.savez(tmp_path / "arrays.npz", x=np.zeros(3))
    assert message(tmp_path / "arrays.npz") == "a zip file without data.pkl"
    torch.save([1, 2], tmp_path / "list.pt")
    assert message(tmp_path / "list.pt") == "an object of type list"
    torch.save({1: 2}, tmp_path / "keys.pt")
    assert "type dict" in message(tmp_path / "keys.pt")
    torch.save({"a": 1}, tmp_path / "protocol.pt", pickle_protocol=4)
    assert message(tmp_path / "protocol.pt") == "PROTO 4"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert message(tmp_path / "pipe") == "no regular file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = write(tmp_path / "secret.pt", b"x")
    path.chmod(0)
    assert message(path) == "Permission denied"


def test_a_legacy_file_loads(tmp_path: Path) -> None:
    tensor = torch.arange(6.0).reshape(2, 3)
    torch.save({"x": tensor}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    loaded = safe_load(tmp_path / "old.pt")["x"]
    assert isinstance(loaded, torch.Tensor)
    assert torch.equal(loaded, tensor)


def repacked(source: Path, target: Path, change: Callable[[str, bytes], bytes]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
    return target


def test_a_small_file_cannot_claim_much_memory(tmp_path: Path) -> None:
    plain = tmp_path / "plain.pt"
    torch.save({"x": torch.ones(10)}, plain)
    assert list(safe_load(plain)) == ["x"]

    bomb = tmp_path / "bomb.pt"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
        new.writestr("plain/data/1", bytes(50_000_000))
    assert "bytes claimed by a file of" in message(bomb)

    torch.save({"x": torch.zeros(1).expand(10**12)}, tmp_path / "expanded.pt")
    assert message(tmp_path / "expanded.pt") == "shape (1000000000000,) in 4 bytes"

    # A stored length of ten that the pickle calls 2^31 - 1, in both formats.
    lie = (b"cpuq\x06K\ntq", b"cpuq\x06J\xff\xff\xff\x7ftq")
    path = repacked(plain, tmp_path / "lie.pt", lambda _, data: data.replace(*lie))
    assert path.read_bytes().count(lie[1]) == 1
    assert "RuntimeError" in message(path)
    torch.save({"x": torch.ones(10)}, plain, _use_new_zipfile_serialization=False)
    lie = (b"K\nNtq", b"J\xff\xff\xff\x7fNtq")
    assert plain.read_bytes().count(lie[0]) == 1
    path = write(tmp_path / "old-lie.pt", plain.read_bytes().replace(*lie))
    message(path)


def test_a_huge_pickle_is_refused_unread(tmp_path: Path) -> None:
    torch.save({"x": ["y" * 100 + str(i) for i in range(LARGEST_PICKLE // 100)]}, tmp_path / "a.pt")
    assert "claimed by a file of" in message(tmp_path / "a.pt")


def test_containers_that_hold_themselves_end(tmp_path: Path) -> None:
    inner: list[object] = [torch.ones(2)]
    for _ in range(60):  # 2^60 paths through 60 lists
        inner = [inner, inner]
    inner.append(inner)
    torch.save({"x": inner}, tmp_path / "nested.pt")
    assert list(safe_load(tmp_path / "nested.pt")) == ["x"]


def test_damage_in_the_data_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save({"x": torch.full((1000,), 3.0)}, path)
    data = bytearray(path.read_bytes())
    data[data.index(b"\x00\x00\x40\x40" * 100) + 200] ^= 1
    assert "CRC-32" in message(write(path, bytes(data)))


def test_files_without_checksums_load(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"x": torch.ones(3)}, tmp_path / "x.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert list(safe_load(tmp_path / "x.pt")) == ["x"]


def test_every_truncation_is_refused(tmp_path: Path, baseline_path: Path) -> None:
    data = baseline_path.read_bytes()
    for length in [1, 4, 30, 1000, len(data) // 2, len(data) - 1000, len(data) - 22, len(data) - 1]:
        message(write(tmp_path / "cut.pt", data[:length]))
    torch.save({"x": torch.ones(10)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    data = (tmp_path / "old.pt").read_bytes()
    for length in range(0, len(data), 7):
        message(write(tmp_path / "cut.pt", data[:length]))


@pytest.mark.parametrize("zipped", [True, False])
def test_flipped_bits_are_refused_or_harmless(tmp_path: Path, zipped: bool) -> None:
    state = OrderedDict(a=torch.randn(4, 3), b=torch.randn(2))
    source = tmp_path / "source.pt"
    torch.save(
        {"epoch": 3, "loss": 0.1, "model_state_dict": state, "config": {"a": [1, None]}},
        source,
        _use_new_zipfile_serialization=zipped,
    )
    data = source.read_bytes()
    rng = random.Random(5)  # noqa: S311  # a test's draws
    refused = 0
    for _ in range(400):
        damaged = bytearray(data)
        for _ in range(rng.choice([1, 1, 4])):
            damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path = write(tmp_path / "damaged.pt", bytes(damaged))
        try:
            open_checkpoint(path)
        except InputError:
            refused += 1
    assert refused == 400  # never a model: these are no encoder's weights


def test_flipped_opcodes_behind_valid_checksums(tmp_path: Path) -> None:
    source = tmp_path / "source.pt"
    torch.save({"model_state_dict": OrderedDict(a=torch.randn(4, 3))}, source)
    rng = random.Random(6)  # noqa: S311  # a test's draws

    def flip(name: str, data: bytes) -> bytes:
        if not name.endswith("data.pkl"):
            return data
        damaged = bytearray(data)
        damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(damaged)

    outcomes: set[type] = set()
    for _ in range(400):
        path = repacked(source, tmp_path / "damaged.pt", flip)
        try:
            outcomes.add(type(safe_load(path)))
        except InputError:
            outcomes.add(InputError)
    assert outcomes == {dict, InputError}


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
