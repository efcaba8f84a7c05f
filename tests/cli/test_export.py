"""`progfix export` as a user runs it, and its module in a user's own program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.native import save_native
from progfix.checkpoints.provenance import Provenance
from progfix.export import verify
from progfix.heads.spec import HeadSpec
from progfix.model import ProgressModel
from progfix.solutions import apply
from tests.cli.entry import progfix
from tests.cli.evaluating import run
from tests.export.made import head_of

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures"
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.exists(), reason="the users' checkpoints (../shared/fixtures) are not here"
)

USER = """
import sys
import numpy as np, torch
from progress_head import load
given = np.load("given.npz")
model = load()
with torch.no_grad():
    parts = [model(torch.from_numpy(given["features"]), first, last) for first, last in given["at"]]
np.save("found.npy", torch.cat(parts).numpy())
assert not any(name.startswith("progfix") for name in sys.modules)
"""


@pytest.fixture(autouse=True)
def few_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short inputs where the command runs in this process."""
    cases = verify.cases
    monkeypatch.setattr(verify, "cases", lambda model: [values[:20] for values in cases(model)])


def native(folder: Path, letters: str) -> Path:
    recipe = apply(letters)
    save_native(
        folder / "head.pt",
        model=ProgressModel(None, head_of(recipe.head)),
        provenance=Provenance(recipe, {"pour": np.array([5, 9])}, {}, {}),
        epoch=0,
    )
    return folder / "head.pt"


@needs_fixtures
@pytest.mark.slow
@pytest.mark.parametrize("name", ["ab", "frame_count"])
def test_the_module_answers_in_a_users_program(tmp_path: Path, name: str) -> None:
    """Against the answers of the users' own code (the fixtures), prefix by prefix."""
    progfix("export", FIXTURES / f"gtcc_{name}.pt", "--out", "their", folder=tmp_path)
    folder = tmp_path / "their"
    with np.load(FIXTURES / f"gtcc_{name}_expected.npz") as expected:
        segments, wanted = expected["segments"], expected["predictions"]
        segments, lengths = segments[segments[:, 0] == 0], expected["lengths"]
        features = expected["features_0"]
    np.savez(folder / "given.npz", features=features, at=segments[:, 1:])
    subprocess.run(
        [sys.executable, "-I", "-c", "import sys; sys.path.insert(0, '.')\n" + USER],
        cwd=folder,
        check=True,
        timeout=100,
    )
    found = np.load(folder / "found.npy")
    assert lengths[: len(segments)].sum() == len(found)
    np.testing.assert_allclose(found, wanted[: len(found)], atol=1e-5)


def test_it_says_what_it_wrote_how_near_it_is_and_how_to_use_it(tmp_path: Path) -> None:
    path = native(tmp_path, "fhs")
    lines = run("export", path, "--out", tmp_path / "out").stdout.splitlines()
    assert lines[0].startswith(f"wrote {tmp_path / 'out' / 'progress_head.py'}: ")
    assert lines[2] == f"from {path}: gru head, solution fhs, of 7 numbers per frame"
    assert lines[3].startswith("takes embeddings (7 numbers per frame); ")
    difference = float(lines[4].removeprefix("largest difference from the checkpoint: ").split()[0])
    assert difference <= 1e-5
    assert lines[4].endswith("over 5 inputs of 1 to 20 frames")
    assert lines[5:] == [
        "use:",
        "  import torch",
        "  from progress_head import load",
        "  head = load()",
        "  embeddings = torch.zeros(60, 7)  # put in yours, of one action: (T, 7)",
        "  with torch.inference_mode():",
        "      answer = head(embeddings)  # answer.progress, .lower, .upper, ...: (T,)",
        "      state = head.initial_state()",
        "      for frame in embeddings:  # or one after the other, as they come",
        "          answer, state = head.step(frame[None], state)",
    ]
    again = run("export", path, "--out", tmp_path / "out", status=2).stderr
    assert again.count("expected a name that is free") == 2
    (tmp_path / "out" / "progress_head.py").write_text("mine")
    run("export", path, "--out", tmp_path / "out", "--force")
    assert "ProgressHead" in (tmp_path / "out" / "progress_head.py").read_text()


@pytest.mark.parametrize(
    ("kind", "last", "tail"),
    [
        # Nothing may follow the state: a graph over the stream would grow with it.
        (
            "module",
            "progress[-1].numpy()",
            "assert all(s.grad_fn is None and not s.requires_grad for s in state)",
        ),
        pytest.param(
            "torch-export",
            "progress[0].numpy()",
            "assert not any(s.requires_grad for s in state)",
            marks=pytest.mark.slow,
        ),
        ("onnx", "progress[0]", ""),
    ],
)
def test_the_printed_lines_run(tmp_path: Path, kind: str, last: str, tail: str) -> None:
    """As they are, in a Python of its own; they end at the last of 60 frames of zeros."""
    if kind == "onnx":
        pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
        pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    path = native(tmp_path, "ds")
    lines = run("export", path, "--format", kind, "--out", tmp_path).stdout.splitlines()
    printed = [line.removeprefix("  ") for line in lines[lines.index("use:") + 1 :]]
    code = "\n".join([*printed, tail, f"print(float({last}))"])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    head = open_checkpoint(path).model.head
    with torch.no_grad():
        wanted = head.read(torch.zeros(1, 60, 7), torch.tensor([60])).progress[0, -1].item()
    assert abs(float(done.stdout) - wanted) < 1e-5


@needs_fixtures
def test_the_printed_lines_with_an_encoder_run(tmp_path: Path) -> None:
    done = run("export", FIXTURES / "gtcc_ab.pt", "--out", tmp_path).stdout.splitlines()
    printed = [line.removeprefix("  ") for line in done[done.index("use:") + 1 :]]
    code = "\n".join([*printed, "assert progress.numpy().shape == (20,)"])
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=100)
    said = " ".join(done)
    assert "input columns position, learned initial state, of" in said
    assert "the encoder, MultiprongEncoder, is in it" in said
    assert "head spec" not in said


def test_what_it_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = native(tmp_path, "a")
    assert "no run under runs/" in run("export", status=2).stderr
    found = run("export", path, "--head-spec", "position", status=2).stderr
    assert found.startswith("error: --head-spec: expected a checkpoint of the GTCC code base")
    found = run("export", path, "--format", "onnx", status=2).stderr
    assert "--format onnx: expected" in found
    found = run("export", path, "--format", "torch-export", status=2).stderr
    assert "use --format module, which answers every prefix at once" in found
    (tmp_path / "foreign.csv").write_text("video,prediction\n")
    run("export", "foreign.csv", status=2)
    assert not (tmp_path / "progfix-export").exists()
    assert HeadSpec(extra=("position",)) == open_checkpoint(path).model.head.spec
