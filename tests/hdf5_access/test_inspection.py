"""A child process meets a file first; what happens to it does not happen to us."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import pytest

from progfix.errors import InputError
from progfix.hdf5_access import inspection
from progfix.hdf5_access.inspection import require_harmless, visit_early
from tests.data.samples import hand_made_hdf5

FAKE = """
import os, signal, sys, time
sys.stdout.write("\\n"); sys.stdout.flush()
for line in sys.stdin:
    sys.stdout.write("...."); sys.stdout.flush()
    {act}
    sys.stdout.write("\\n"); sys.stdout.flush()
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(inspection, "_HARMLESS", set())
    monkeypatch.setattr(inspection, "_EARLY", {})
    monkeypatch.setattr(inspection, "_CURRENT", None)
    yield
    if inspection._CURRENT is not None:
        inspection._CURRENT.end()


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Put a program in the child's place that does something when it is asked."""

    def act(what: str) -> None:
        program = tmp_path / "program.py"
        program.write_text(FAKE.format(act=what))
        monkeypatch.setattr(inspection, "_PROGRAM", program)

    return act


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        require_harmless(path)
    return str(caught.value)


def test_one_child_visits_all_files_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    real = subprocess.Popen

    def counting(*arguments: object, **options: object) -> object:
        started.append(arguments)
        return real(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", counting)
    paths = [hand_made_hdf5(tmp_path / f"{number}.h5") for number in range(300)]
    for path in paths:
        require_harmless(path)
    asked = inspection._child(paths[0])
    monkeypatch.setattr(asked, "ask", None)  # nobody is asked again
    for path in paths:
        require_harmless(path)
    assert len(started) == 1


def test_a_file_written_anew_is_visited_anew(tmp_path: Path, acting: Callable[[str], None]) -> None:
    path = hand_made_hdf5(tmp_path / "x.h5")
    require_harmless(path)
    acting("os.abort()")
    inspection._child(path).end()
    require_harmless(path)
    os.utime(path, ns=(1, 1))
    assert "crashes" in refusal(path)


def test_a_file_visited_early_is_not_visited_again(
    tmp_path: Path, acting: Callable[[str], None]
) -> None:
    path, asked = hand_made_hdf5(tmp_path / "x.h5"), tmp_path / "asked"
    acting(f"open({str(asked)!r}, 'a').write(line)")
    visit_early(path)
    deadline = time.monotonic() + 20
    while not inspection._HARMLESS and time.monotonic() < deadline:
        time.sleep(0.01)
    require_harmless(path)
    assert len(asked.read_text().splitlines()) == 1


def test_what_is_wrong_is_said_when_the_file_is_asked_for(
    tmp_path: Path, acting: Callable[[str], None]
) -> None:
    path = hand_made_hdf5(tmp_path / "x.h5")
    acting("os.abort()")
    visit_early(path)
    deadline = time.monotonic() + 20
    while not inspection._EARLY and time.monotonic() < deadline:
        time.sleep(0.01)
    acting("pass")  # it is not visited again
    assert "crashes" in refusal(path)
    require_harmless(path)  # but it is when it is asked for again


def test_what_is_no_hdf5_file_is_not_visited_early(
    tmp_path: Path, acting: Callable[[str], None]
) -> None:
    asked, text, pipe = tmp_path / "asked", tmp_path / "x.json", tmp_path / "pipe"
    text.write_text("{}")
    os.mkfifo(pipe)
    acting(f"open({str(asked)!r}, 'a').write(line)")
    for path in (text, pipe, tmp_path, tmp_path / "nothing"):
        visit_early(path)
    while any(thread.name.endswith("(visit)") for thread in threading.enumerate()):
        time.sleep(0.01)
    require_harmless(hand_made_hdf5(tmp_path / "x.h5"))
    assert len(asked.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("act", "found"),
    [
        ("os.abort()", "damage that crashes the HDF5 library"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "damage that crashes the HDF5 library"),
        ("sys.exit(1)", "damage that crashes the HDF5 library"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "busy without end"),
        ("time.sleep(60)", "busy without end"),
        # Progress that never ends.
        ("while True: print('.', end='', flush=True); time.sleep(.02)", "busy without end"),
        ("print('mem', end='', flush=True); time.sleep(.1); print('ory', end='')", "than 1 GiB"),
    ],
)
def test_what_happens_to_the_child_is_said(
    tmp_path: Path,
    acting: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    act: str,
    found: str,
) -> None:
    monkeypatch.setattr(inspection, "SILENT_SECONDS", 1.0)
    acting(act)
    bad, good = hand_made_hdf5(tmp_path / "bad.h5"), hand_made_hdf5(tmp_path / "good.h5")
    started = time.monotonic()
    text = refusal(bad)
    assert time.monotonic() - started < 3
    assert text.startswith(f"{bad}: expected an intact HDF5 file, found ")
    assert found in text
    acting("pass")
    require_harmless(good)  # another child does


def test_a_child_that_waited_for_long_is_replaced(
    tmp_path: Path, acting: Callable[[str], None]
) -> None:
    # It ends well without an answer once, as one does whose time is over.
    once = tmp_path / "once"
    acting(f"if not os.path.exists({str(once)!r}): open({str(once)!r}, 'w'); sys.exit(0)")
    require_harmless(hand_made_hdf5(tmp_path / "x.h5"))
    assert once.exists()


def test_a_child_that_does_not_start_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hand_made_hdf5(tmp_path / "x.h5")
    program = tmp_path / "program.py"
    program.write_text("import no_such_module")
    monkeypatch.setattr(inspection, "_PROGRAM", program)
    assert "one that does not answer" in refusal(path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert "No such file or directory" in refusal(path)


def test_other_files_and_none_are_harmless(tmp_path: Path) -> None:
    require_harmless(tmp_path / "missing.h5")
    (tmp_path / "text.h5").write_text("hello")
    require_harmless(tmp_path / "text.h5")


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_memory_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file.create_dataset("one", data=["y" * 60_000], dtype=text, chunks=(1,))
        many = file.create_dataset("many", (100_000,), text, chunks=(100_000,))
        # All refer to the same text, which each of them would be a copy of.
        _, reference = file["one"].id.read_direct_chunk((0,))
        many.id.write_direct_chunk((0,), reference * 100_000)
    assert path.stat().st_size < 1 << 21
    assert "more than 1 GiB" in refusal(path)
    require_harmless(hand_made_hdf5(tmp_path / "y.h5"))


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    path = hand_made_hdf5(tmp_path / "x.h5")
    code = (
        "import sys; from pathlib import Path; from progfix.hdf5_access import inspection as i;"
        "i.require_harmless(Path(sys.argv[1])); print(i._CURRENT._process.pid)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
