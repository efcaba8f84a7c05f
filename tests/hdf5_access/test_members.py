"""What is not safe to read is refused before HDF5 reads it."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from progfix.errors import InputError
from progfix.hdf5_access import inspection
from progfix.hdf5_access.inspection import require_harmless
from progfix.hdf5_access.members import HDF5_ERRORS, member, require_bounded_chunks, values, whole
from tests.chunks import write_chunk

FINDS = sorted((Path(__file__).parent / "finds").glob("*.h5"))


@pytest.mark.parametrize("path", FINDS, ids=lambda path: path.stem)
def test_files_that_the_library_did_not_survive(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by mutation with HDF5 2.0; another version may read them."""
    monkeypatch.setattr(inspection, "BUSY_SECONDS", 1.0)
    monkeypatch.setattr(inspection, "_HARMLESS", set())
    before = os.times().children_user
    try:
        require_harmless(path)
    except InputError as error:
        assert "busy without end" in str(error) or "more than 1 GiB" in str(error)  # noqa: PT017
    assert os.times().children_user - before < 5


def packed(
    file: h5py.File, raw: bytes, *, rows: int = 4, compression: str = "gzip"
) -> h5py.Dataset:
    """Store a chunk as it is given, in a data set of float64."""
    made = file.create_dataset("x", (rows,), "f8", chunks=(rows,), compression=compression)
    write_chunk(made, raw)
    return made


def deflated(size: int, level: int = 1) -> bytes:
    packer = zlib.compressobj(level)
    blocks = (packer.compress(bytes(1 << 24)) for _ in range(size >> 24))
    return b"".join(blocks) + packer.flush()


def test_a_chunk_that_becomes_more_than_a_chunk_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        raw = deflated(1 << 27)
        assert len(raw) > 1 << 18
        column = packed(file, raw)
        with pytest.raises(ValueError, match=r"a chunk of [\d,]+ bytes that become more than 32"):
            require_bounded_chunks(column, slice(0, 4), set())
        with pytest.raises(ValueError, match="become more than 32"):
            whole(column)
        require_bounded_chunks(column, slice(0, 4), {(0,)})  # it was looked at before


def test_a_small_chunk_is_not_looked_at(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        column = packed(file, deflated(1 << 24))
        require_bounded_chunks(column, slice(0, 4), set())


def test_large_chunks_of_a_chunk_pass_once(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((4, 40_000))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        table = file.create_dataset(
            "x", data=values, chunks=(2, 40_000), compression="gzip", shuffle=True, fletcher32=True
        )
        known: set[tuple[int, ...]] = set()
        require_bounded_chunks(table, slice(0, 1), known)
        assert known == {(0, 0)}
        require_bounded_chunks(table, slice(1, 4), known)
        assert known == {(0, 0), (2, 0)}
        assert np.array_equal(whole(table), values)


def test_damaged_and_lzf_chunks_that_are_large_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        column = packed(file, b"\xff" * (1 << 19))
        with pytest.raises(ValueError, match="damaged compression"):
            whole(column)
    with h5py.File(tmp_path / "y.h5", "w") as file:
        column = packed(file, bytes((1 << 22) + 1), compression="lzf")
        with pytest.raises(ValueError, match="become more than 32"):
            whole(column)


def test_filters_and_chunks_that_are_not_known_to_be_safe(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("fine", data=np.ones(9), compression="gzip", shuffle=True)
        file.create_dataset("scaled", data=np.arange(9), scaleoffset=0)
        twice = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        twice.set_chunk((9,))
        twice.set_deflate(9)
        twice.set_deflate(9)
        space, kind = h5py.h5s.create_simple((9,)), h5py.h5t.IEEE_F64LE
        made = h5py.h5d.create(file.id, b"twice", kind, space, twice)
        h5py.Dataset(made)[:] = 1.0
        file.create_dataset("wide", data=np.ones(9), maxshape=(None,), chunks=(1 << 26,))
        member(file, "fine", h5py.Dataset)
        for name in ("scaled", "twice"):
            with pytest.raises(ValueError, match=f"'{name}' with the filters"):
                member(file, name, h5py.Dataset)
        with pytest.raises(ValueError, match="'wide' in chunks of 536,870,912 bytes"):
            member(file, "wide", h5py.Dataset)


@pytest.mark.parametrize(
    ("stored", "options"),
    [
        (np.arange(6).reshape(3, 2), {}),
        (np.arange(6, dtype=">i2"), {"fletcher32": True}),
        (np.array([0.5, np.nan]), {"compression": "gzip"}),
        (np.array([True, False]), {}),
        (np.array(["pour", "stir \u00e4"], dtype=object), {}),
        (np.array([["a"], ["b"]], dtype=object), {"compression": "lzf"}),
        (np.array([b"pour", b"st"]), {"shuffle": True}),
        (np.empty((0, 2), np.int64), {}),
        (np.array(7), {}),
        (np.array([(1, b"x")], dtype=[("n", "i4"), ("t", "S3")]), {}),
    ],
)
def test_values_are_those_of_h5py(
    tmp_path: Path, stored: NDArray[np.generic], options: dict[str, object]
) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", data=stored, **options)
        column = member(file, "x", h5py.Dataset)
        text = h5py.check_string_dtype(column.dtype) is not None
        expected = column.asstr()[()] if text else column[()]
        found = values(file, "x")
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_values_are_refused_as_members_are(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        packed(file, deflated(1 << 27))
        file.create_group("group")
        file["soft"] = h5py.SoftLink("/x")
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/x")
        file.create_dataset("scaled", data=np.arange(9), scaleoffset=0)
        file.create_dataset("latin", data=np.array([b"\xe4"]))
        file.create_dataset("nothing", data=h5py.Empty("f4"))
        for name, error, message in (
            ("x", ValueError, "become more than 32"),
            ("group", ValueError, "'group' is no dataset"),
            ("soft", ValueError, "link to somewhere else"),
            ("elsewhere", ValueError, "link to somewhere else"),
            ("scaled", ValueError, "'scaled' with the filters"),
            ("missing", KeyError, "no 'missing'"),
            ("latin", UnicodeDecodeError, "utf-8"),
        ):
            with pytest.raises(error, match=message):
                values(file, name)
        with pytest.raises(HDF5_ERRORS):
            values(file, "nothing")
