"""Whatever is wrong with a file is one message, and the rest loads."""

from __future__ import annotations

import os
import pickle
import random
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.reading import LARGEST_PICKLE, safe_load
from progfix.errors import InputError
from tests.checkpoints.made import refusal


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.pt") == "nothing of this name"
    assert refusal(tmp_path) == "a folder"
    assert refusal(write(tmp_path / "empty.pt", b"")) == "an empty file"
    assert refusal(write(tmp_path / "text.pt", b"epoch,loss\n0,0.5\n")) == "text"
    assert refusal(write(tmp_path / "noise.pt", b"\x00\xff\x13\x37" * 9)).startswith("bytes that")
    assert "plain pickle" in refusal(write(tmp_path / "plain.pt", pickle.dumps({"a": 1})))
    assert "gzip" in refusal(write(tmp_path / "x.gz", b"\x1f\x8b\x08\x00rest"))
    with h5py.File(tmp_path / "data.pt", "w") as file:
        file["x"] = [1]
    assert refusal(tmp_path / "data.pt") == "an HDF5 file"
    np.save(tmp_path / "array.npy", np.zeros(3))
    assert refusal(tmp_path / "array.npy") == "a NumPy array"
    np.savez(tmp_path / "arrays.npz", x=np.zeros(3))
    assert refusal(tmp_path / "arrays.npz") == "a zip file without data.pkl"
    torch.save([1, 2], tmp_path / "list.pt")
    assert refusal(tmp_path / "list.pt") == "an object of type list"
    torch.save({1: 2}, tmp_path / "keys.pt")
    assert "type dict" in refusal(tmp_path / "keys.pt")
    torch.save({"a": 1}, tmp_path / "protocol.pt", pickle_protocol=4)
    assert refusal(tmp_path / "protocol.pt") == "PROTO 4"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == "no regular file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = write(tmp_path / "secret.pt", b"x")
    path.chmod(0)
    assert refusal(path) == "Permission denied"


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
    assert "bytes claimed by a file of" in refusal(bomb)

    torch.save({"x": torch.zeros(1).expand(10**12)}, tmp_path / "expanded.pt")
    assert refusal(tmp_path / "expanded.pt") == "shape (1000000000000,) in 4 bytes"

    # A stored length of ten that the pickle calls 2^31 - 1, in both formats.
    lie = (b"cpuq\x06K\ntq", b"cpuq\x06J\xff\xff\xff\x7ftq")
    path = repacked(plain, tmp_path / "lie.pt", lambda _, data: data.replace(*lie))
    assert path.read_bytes().count(lie[1]) == 1
    assert "RuntimeError" in refusal(path)
    torch.save({"x": torch.ones(10)}, plain, _use_new_zipfile_serialization=False)
    lie = (b"K\nNtq", b"J\xff\xff\xff\x7fNtq")
    assert plain.read_bytes().count(lie[0]) == 1
    path = write(tmp_path / "old-lie.pt", plain.read_bytes().replace(*lie))
    refusal(path)


def test_a_huge_pickle_is_refused_unread(tmp_path: Path) -> None:
    torch.save({"x": ["y" * 100 + str(i) for i in range(LARGEST_PICKLE // 100)]}, tmp_path / "a.pt")
    assert "claimed by a file of" in refusal(tmp_path / "a.pt")


def containers(what: str) -> object:
    inner: list[object] = [torch.ones(2)]
    if what == "in itself":
        inner.append(inner)
    elif what == "in each other":  # 2^60 paths through 60 lists
        for _ in range(60):
            inner = [inner, inner]
    elif what == "deep":
        for _ in range(65):
            inner = [inner]
    elif what == "deep by a way round":  # met first where it is not deep
        chain: list[object] = [inner]
        for _ in range(40):
            chain = [chain]
        return [[[*range(3), chain], chain], [[[[[[[chain] * 2]]]]]], {"a": _wrapped(chain, 30)}]
    else:
        return ["text" * 1000] * 5000
    return inner


def _wrapped(inner: object, times: int) -> object:
    for _ in range(times):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    "what", ["in itself", "in each other", "deep", "deep by a way round", "text"]
)
def test_containers_that_cannot_be_walked_through_are_refused(tmp_path: Path, what: str) -> None:
    torch.save({"x": containers(what)}, tmp_path / "x.pt")
    with pytest.raises(InputError, match=r"containers of at most 4,194,304 items .* than 64"):
        safe_load(tmp_path / "x.pt")


def test_what_is_shared_a_little_loads(tmp_path: Path) -> None:
    shared = [torch.ones(2), "text" * 100]
    torch.save({"x": [shared] * 1000, "y": _wrapped(shared, 60)}, tmp_path / "x.pt")
    assert len(safe_load(tmp_path / "x.pt")["x"]) == 1000  # type: ignore[arg-type]


@pytest.mark.parametrize("zipped", [True, False])
def test_numbers_that_are_no_counts_are_refused(tmp_path: Path, zipped: bool) -> None:
    for number, fine in (
        (2**512 - 1, True),
        (1 - 2**512, True),
        (2**512, False),
        (10**5000, False),
    ):
        path = tmp_path / "x.pt"
        torch.save({"x": number}, path, _use_new_zipfile_serialization=zipped)
        if fine:
            assert safe_load(path) == {"x": number}
        else:
            assert f"one of {number.bit_length():,}" in refusal(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_knows_no_bounds_is_refused(tmp_path: Path, method: int) -> None:
    torch.save({"x": torch.ones(3)}, tmp_path / "x.pt")
    with (
        zipfile.ZipFile(tmp_path / "x.pt") as old,
        zipfile.ZipFile(tmp_path / "y.pt", "w", method) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    assert refusal(tmp_path / "y.pt") == "one with another compression"


def test_damage_in_the_data_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save({"x": torch.full((1000,), 3.0)}, path)
    data = bytearray(path.read_bytes())
    data[data.index(b"\x00\x00\x40\x40" * 100) + 200] ^= 1
    assert "CRC-32" in refusal(write(path, bytes(data)))


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
        refusal(write(tmp_path / "cut.pt", data[:length]))
    torch.save({"x": torch.ones(10)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    data = (tmp_path / "old.pt").read_bytes()
    for length in range(0, len(data), 7):
        refusal(write(tmp_path / "cut.pt", data[:length]))


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
