"""Predictions in CSV, HDF5 and Parquet that are too wide, too deep, elsewhere, or no numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.chunks import write_chunk
from tests.fuzz.case import Case

HEAD = "video,segment,elapsed,duration,target,prediction\n"
ROW = "a,0,{elapsed},{duration},{target},{prediction}\n"


def row(**fields: str) -> str:
    return ROW.format(
        **{"elapsed": "1", "duration": "1", "target": "1", "prediction": ".5", **fields}
    )


TEXTS: dict[str, bytes] = {
    "nothing": b"",
    "one line end": b"\n",
    "zeros": bytes(100_000),
    "10^6 columns": ",".join(f"c{i}" for i in range(1_000_000)).encode() + b"\n",
    "10^6 columns and the needed": (
        HEAD.strip() + "".join(f",c{i}" for i in range(1_000_000)) + "\na,0,1,1,1,.5\n"
    ).encode(),
    "a field of 10^7 digits": (HEAD + row(elapsed="9" * 10**7)).encode(),
    "a number of 100,000 digits": (HEAD + row(elapsed="9" * 100_000)).encode(),
    "a number beyond floats": (HEAD + row(prediction="1e999")).encode(),
    "not a number": (HEAD + row(prediction="nan")).encode(),
    "infinity": (HEAD + row(prediction="-inf")).encode(),
    "a duration beyond 64 bits": (HEAD + row(duration=str(2**64), target=str(2.0**-64))).encode(),
    "a duration of 2^53": (HEAD + row(duration=str(2**53 - 1), target=str(2.0**-53))).encode(),
    "a target that makes 10^15 frames": b"video,target,prediction\na,1e-15,.5\n",
    "a negative duration": (HEAD + row(duration="-1")).encode(),
    "a column twice": b"video,target,target,prediction\na,1,1,.5\n",
    "a quote that never ends": (HEAD + '"' + "a\n" * 200_000).encode(),
    "a zero byte": (HEAD + row(prediction=".5\0")).encode(),
    "a name with a zero byte": HEAD.encode() + b"a\0b,0,1,1,1,.5\n",
    "names that a terminal obeys": b"video,target,prediction\n\x1b[2J\x07../..,2,.5\n",
    "columns that a terminal obeys": b"video,\x1b[2J,\x9b31m\n1,2,3\n",
    "utf-16": HEAD.encode("utf-16") + row().encode("utf-16"),
    "bytes that are no text": HEAD.encode() + b"\xff\xfe\n",
    "one line of 50 MB": b"video,target,prediction\n" + b"a" * 50_000_000,
    "lines of all widths": (HEAD + "".join("," * (i % 9) + "\n" for i in range(100_000))).encode(),
    "10^5 defects": (HEAD + "a,0,x,y,z,w\n" * 100_000).encode(),
}


def csv(data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "x.csv").write_bytes(data)
        return folder / "x.csv"

    return make


def hdf5(change: Callable[[h5py.File, Path], object]) -> Callable[[Path], Path]:
    """Write a sound file, and then change it."""

    def make(folder: Path) -> Path:
        path = folder / "x.h5"
        with h5py.File(path, "w") as file:
            file["video"] = np.zeros(4, np.int32)
            file["video_names"] = ["a"]
            file["target"] = np.arange(1, 5) / 4
            change(file, folder)
            if "prediction" not in file:
                file["prediction"] = np.zeros(4)
        return path

    return make


def _bomb(file: h5py.File, _: Path) -> None:
    """A chunk of half a megabyte that becomes 128, of which HDF5 would take 32 bytes."""
    import zlib

    made = file.create_dataset("prediction", (4,), "f8", chunks=(4,), compression="gzip")
    packer = zlib.compressobj(1)
    raw = b"".join(packer.compress(bytes(1 << 24)) for _ in range(8)) + packer.flush()
    write_chunk(made, raw)


def _virtual(file: h5py.File, folder: Path) -> None:
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "x", (4,))
    file.create_virtual_dataset("prediction", layout)


def _dataset(*arguments: Any, **options: Any) -> Callable[[h5py.File, Path], None]:
    return lambda file, _: file.create_dataset("prediction", *arguments, **options) and None


def _link(link: object) -> Callable[[h5py.File, Path], None]:
    return lambda file, _: file.__setitem__("prediction", link)


HDF5: dict[str, Callable[[h5py.File, Path], object]] = {
    "10^12 rows without chunks": _dataset((10**12,), "f8"),
    "10^12 rows in chunks": _dataset((10**12,), "f8", chunks=(1000,)),
    "a chunk of 4 GB": _dataset((2**29,), "f8", chunks=(2**29 - 1,), compression="gzip"),
    "a chunk that explodes": _bomb,
    "scale and offset": _dataset(data=np.arange(4), scaleoffset=0),
    "no rows": _dataset((0,), "f8"),
    "one number": _dataset(data=0.5),
    "nothing at all": _dataset(dtype="f8", data=h5py.Empty("f8")),
    "not a number": _dataset(data=np.full(4, np.nan)),
    "infinity": _dataset(data=np.full(4, -np.inf)),
    "objects": _dataset((4,), h5py.ref_dtype),
    "lists": _dataset((4,), h5py.vlen_dtype(np.float64)),
    "complex numbers": _dataset(data=np.ones(4, complex)),
    "structures": _dataset(data=np.zeros(4, [("a", "f8")])),
    "opaque bytes": _dataset(data=np.zeros(4, "V8")),
    "text": _dataset(data=["x"] * 4),
    "an external link": _link(h5py.ExternalLink("/dev/zero", "x")),
    "an external link to itself": _link(h5py.ExternalLink("x.h5", "prediction")),
    "a soft link to itself": _link(h5py.SoftLink("prediction")),
    "a soft link to a column": _link(h5py.SoftLink("target")),
    "a virtual data set": _virtual,
    "external storage": _dataset((4,), "f8", external=[("/etc/passwd", 0, 32)]),
    "a group in itself": lambda file, _: file.__setitem__("prediction", file["/"]),
    "many groups": lambda file, _: [file.create_group(f"g{i}") for i in range(3000)],
    "names that a terminal obeys": lambda file, _: file.__setitem__("\x1b[2J\n..", [1.0]),
    "a format of numbers": lambda file, _: file.attrs.__setitem__("format", np.arange(4)),
    "a format that is empty": lambda file, _: file.attrs.__setitem__("format", h5py.Empty("f8")),
    "codes without names": lambda file, _: file.__setitem__("action", np.full(4, -1)),
}
VALID = {"a group in itself", "many groups", "names that a terminal obeys", "codes without names"}


def parquet(**columns: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import pyarrow as pa
        from pyarrow import parquet as file

        sound = {"video": ["a"] * 4, "target": [0.25, 0.5, 0.75, 1.0], "prediction": [0.5] * 4}
        file.write_table(pa.table({**sound, **columns}), folder / "x.parquet")
        return folder / "x.parquet"

    return make


def _shared_text(folder: Path) -> Path:
    """A million rows that all name the same 10 kB."""
    import pyarrow as pa
    from pyarrow import parquet as file

    rows = 1_000_000
    codes = pa.array(np.zeros(rows, np.int32))
    names = pa.DictionaryArray.from_arrays(codes, pa.array(["v" * 10_000]))
    targets = np.arange(1, rows + 1) / rows
    table = pa.table({"video": names, "target": targets, "prediction": np.zeros(rows)})
    file.write_table(table, folder / "x.parquet")
    return folder / "x.parquet"


CASES = [
    *(Case("predictions", f"csv {name}", csv(data)) for name, data in TEXTS.items()),
    *(
        Case("predictions", f"hdf5 {name}", hdf5(change), valid=name in VALID)
        for name, change in HDF5.items()
    ),
    Case("predictions", "parquet of lists", parquet(prediction=[[0.5]] * 4)),
    Case("predictions", "parquet of nothing", parquet(prediction=[None] * 4)),
    Case("predictions", "parquet of not a number", parquet(prediction=[float("nan")] * 4)),
    Case("predictions", "parquet of bytes", parquet(prediction=[b"\xff"] * 4)),
    Case("predictions", "parquet of a shared text", _shared_text, valid=True),
    Case(
        "predictions",
        "parquet that is cut",
        lambda folder: _cut(parquet()(folder)),
    ),
]


def _cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-30])
    return path
