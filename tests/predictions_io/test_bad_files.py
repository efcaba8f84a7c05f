"""Files that are damaged, foreign, or claim what they do not hold."""

import contextlib
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from progfix.errors import InputError
from progfix.predictions_io import read_predictions, save_predictions
from tests.made_predictions import made_predictions


def _errors(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        list(read_predictions(path))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected predictions, found an empty file"),
        (b"\n", "expected a header line with column names"),
        (b"\n\nvideo;target\n", "expected a header line with column names, found an empty line"),
        (b"a;b\tc\n", "expected a column 'video', found the columns 'a;b\\tc'"),
        (b"video,target,prediction\n", "expected at least one row"),
        (b"\xff\xfe\x00v", "expected separated UTF-8 text"),
        (b'video,target,prediction\n"x' + b"a" * 200_000, "expected separated UTF-8 text"),
    ],
)
def test_no_csv(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    assert expected in _errors(path)[0]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xef\xbb\xbfvideo,target,prediction\r\nx,1,.5\r\n")
    assert sum(map(len, read_predictions(path))) == 1


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("header", ["video_id,target,prediction", "\ufeff Video ID,TARGET, Pred"])
def test_separators_and_spellings_of_spreadsheets(
    tmp_path: Path, ending: str, mark: str, header: str
) -> None:
    path = tmp_path / f"p.{ending}"
    text = f"{header}\nx,0.5,.25\nx,1,.75\n"
    path.write_text(text.replace(",", mark), encoding="utf-8")
    (table,) = read_predictions(path)
    assert table.video.decode() == ["x", "x"]
    assert table.target.tolist() == [0.5, 1.0]
    assert table.prediction.tolist() == [0.25, 0.75]


def test_decimal_commas_are_named(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("video;target;prediction\nx;0,5;0,25\nx;1;0,75\n")
    assert _errors(path) == [
        f"{path}, line 2: expected a number in column 'target', found '0,5' in line 2; "
        "write a point, not a comma",
        f"{path}, lines 2, 3: expected a number in column 'prediction', found '0,25' in line 2; "
        "write a point, not a comma",
    ]


def test_an_exact_name_goes_before_another_spelling(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("Video,video,target,Prediction\nno,x,1,.5\n")
    (table,) = read_predictions(path)
    assert table.video.decode() == ["x"]
    path.write_text("Video,VIDEO,target,prediction\nno,x,1,.5\n")
    assert "expected one column 'video', found 'Video', 'VIDEO'" in _errors(path)[0]


@pytest.mark.parametrize("ending", [".npz", ".h5", ".parquet"])
@pytest.mark.parametrize("damage", ["empty", "foreign", "cut"])
def test_damaged_files(tmp_path: Path, ending: str, damage: str) -> None:
    path = tmp_path / f"p{ending}"
    save_predictions(path, [made_predictions()])
    whole = path.read_bytes()
    content = {"empty": b"", "foreign": b"not what it says" * 99, "cut": whole[: len(whole) // 2]}
    path.write_bytes(content[damage])
    expected = "an empty file" if damage == "empty" else "expected a"
    assert expected in _errors(path)[0]


@pytest.mark.parametrize("ending", [".npz", ".h5", ".parquet"])
def test_a_flipped_byte_never_raises_anything_else(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"p{ending}"
    save_predictions(path, [made_predictions()])
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(len(whole), size=40):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        path.write_bytes(bytes(broken))
        with contextlib.suppress(InputError):
            list(read_predictions(path))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "found no such file" in _errors(tmp_path / "p.csv")[0]
    (tmp_path / "q.csv").mkdir()
    assert "found a folder" in _errors(tmp_path / "q.csv")[0]
    assert "a name that ends in .csv" in _errors(tmp_path / "p.txt")[0]


def test_npz_with_python_objects_is_refused_without_loading_them(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    np.savez(path, video=np.array(["x", None], dtype=object), target=[0.5, 1], prediction=[0, 1])
    found = _errors(path)[0]
    assert "array 'video': expected numbers or fixed-width strings, found pickled Python" in found


@pytest.mark.parametrize("code", [0x110000, 0xFFFFFFFF, 0xD800, 0xDFFF])
@pytest.mark.parametrize("order", "<>")
def test_npz_with_characters_that_are_none(tmp_path: Path, code: int, order: str) -> None:
    # NumPy makes strings of them that crash what prints or encodes them.
    path = tmp_path / "p.npz"
    names = np.array([[0x61, code]], f"{order}u4").view(f"{order}U2").reshape(-1)
    np.savez(path, video=names, target=[1.0], prediction=[0.5])
    assert "array 'video': expected text, found numbers that are no characters" in _errors(path)[0]


@pytest.mark.parametrize("order", "<>")
def test_npz_with_every_character(tmp_path: Path, order: str) -> None:
    path = tmp_path / "p.npz"
    names = np.array(["a\ud7ff\ue000\U0010ffff"], f"{order}U4")
    np.savez(path, video=names, target=[1.0], prediction=[0.5])
    (table,) = read_predictions(path)
    assert table.video.decode() == [str(names[0])]


def test_npz_columns_of_other_shapes_and_lengths(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    np.savez(path, video=["x"] * 4, target=np.ones((2, 2)), prediction=[0.0] * 4)
    assert "array 'target': expected one value per row, found shape (2, 2)" in _errors(path)[0]
    np.savez(path, video=["x"] * 4, target=np.ones(3), prediction=[0.0] * 4)
    assert (
        "expected columns of one length, found video 4, target 3, prediction 4" in _errors(path)[0]
    )


def test_a_foreign_archive_of_many_arrays_is_not_listed_in_full(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    arrays: dict[str, Any] = {f"layer{i}": np.zeros(1) for i in range(300)}
    np.savez(path, **arrays)
    for found in _errors(path):
        assert "'layer7' and 292 more" in found
        assert "layer8" not in found


def _npy(rows: int) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows},), }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 16


def test_npz_that_claims_more_than_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    video = io.BytesIO()
    np.save(video, np.array(["x", "x"]))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("video.npy", video.getvalue())
        archive.writestr("target.npy", _npy(10**14))
        archive.writestr("prediction.npy", _npy(2))
    found = _errors(path)[0]
    assert "array 'target': expected at most the 16 bytes that the file holds" in found
    assert "a claim of 800,000,000,000,000 bytes" in found


def _claim_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in ("video", "target", "prediction"):
            file.create_dataset(name, shape=(10**12,), chunks=(1000,), dtype="f8")


def _link_hdf5(path: Path) -> None:
    other = path.with_name("other.h5")
    with h5py.File(other, "w") as file:
        file["x"] = np.ones(3)
    layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
    layout[:] = h5py.VirtualSource(other, "x", shape=(3,))
    with h5py.File(path, "w") as file:
        file["video"] = np.zeros(3, dtype=int)
        file["prediction"] = np.zeros(3)
        file.create_virtual_dataset("target", layout)


def _shape_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["video"] = np.zeros(4, dtype=int)
        file["prediction"] = np.zeros((2, 2))
        file["target"] = np.ones(4)


def _length_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["video"] = np.zeros(4, dtype=int)
        file["prediction"] = np.zeros(3)
        file["target"] = np.ones(4)


def _codes_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["video"] = np.array([0, 5])
        file["video_names"] = ["x"]
        file["prediction"] = np.zeros(2)
        file["target"] = [0.5, 1]


def _data_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "progfix-data/1"


def _newer_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "progfix-predictions/9"


def _compound_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["video"] = np.zeros(2, dtype=[("a", "i4")])
        file["prediction"] = np.zeros(2)
        file["target"] = [0.5, 1]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (_claim_hdf5, "'video' that claims 8,000,000,000,000 bytes, with 0 in the file"),
        (
            _link_hdf5,
            "dataset 'target': expected a column in this file, found 'target' is stored in ano",
        ),
        (_shape_hdf5, "dataset 'prediction': expected one value per row, found shape (2, 2)"),
        (_length_hdf5, "expected columns of one length"),
        (_codes_hdf5, "column 'video': expected codes from 0 to 0, as many as 'video_names'"),
        (_data_hdf5, "found format progfix-data/1; give a data set with --data"),
        (_newer_hdf5, "found format progfix-predictions/9; use a progfix that knows it"),
        (_compound_hdf5, "dataset 'video': expected numbers or strings"),
    ],
)
def test_hdf5_that_is_wrong(tmp_path: Path, make: Callable[[Path], None], expected: str) -> None:
    path = tmp_path / "p.h5"
    make(path)
    assert expected in "\n".join(_errors(path))


def test_parquet_with_empty_values_and_lists(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "p.parquet"
    parquet.write_table(
        pa.table({"video": ["x", None], "target": [0.5, 1.0], "prediction": [0.1, None]}), path
    )
    found = _errors(path)
    assert any("row 1: expected a value of 'video' in every row, found none" in e for e in found)
    assert any("row 1: expected finite numbers in column 'prediction'" in e for e in found)
    assert len(found) == 2
    parquet.write_table(pa.table({"video": ["x"], "target": [[1.0]], "prediction": [0.1]}), path)
    assert "expected columns of numbers or strings, found type list" in _errors(path)[0]
