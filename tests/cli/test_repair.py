"""`progfix train --init`: a users' checkpoint in, one that their code loads out."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.reading import safe_load
from progfix.solutions import RECOMMENDED_FOR_GTCC
from tests.checkpoints.their_code import load
from tests.cli.entry import progfix

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures"
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.exists(), reason="the users' checkpoints (../shared/fixtures) are not here"
)


def data_for_64_columns(path: Path) -> Path:
    """Ten short videos whose 64 features carry progress."""
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "progfix-data/1"
        for index in range(10):
            length = int(rng.integers(12, 30))
            features = 0.3 * rng.normal(size=(length, 64))
            features[:, :8] += np.linspace(-2, 2, length)[:, None]
            group = file.create_group(f"v{index}")
            group["features"] = features.astype(np.float32)
            group["segments"] = np.array([[0, length - 1]])
            group.create_dataset("actions", data=["pour"], dtype=h5py.string_dtype())
            group.attrs.update(
                task="t", fps=1.0, split="train" if index < 6 else "val" if index < 8 else "test"
            )
    return path


@needs_fixtures
@pytest.mark.parametrize(
    ("letters", "commit", "epochs"),
    [
        pytest.param("gs", "3030255", 3, marks=pytest.mark.slow),
        ("abgs", "238da93", 1),
    ],
)
def test_the_repaired_checkpoint_loads_in_their_code(
    tmp_path: Path, letters: str, commit: str, epochs: int
) -> None:
    data = data_for_64_columns(tmp_path / "data.h5")
    original = FIXTURES / "gtcc_frozen_head.pt"
    arguments = ("--init", original, "--data", data, "--epochs", str(epochs), "--out", "run")
    progfix("train", "--solution", letters, "--normalise", *arguments, folder=tmp_path)
    repaired = tmp_path / "run" / "checkpoint.pt"

    old, new = safe_load(original), safe_load(repaired)
    assert list(new) == [*old, "progfix"]
    before, after = old["model_state_dict"], new["model_state_dict"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    for name, tensor in before.items():
        if not name.startswith("progress_head."):
            assert torch.equal(after[name], tensor), name
    assert not torch.equal(after["progress_head.fc.2.weight"], before["progress_head.fc.2.weight"])

    # Their head, built by their rule and fed prefix by prefix, gives what we evaluate.
    network, _ = load(commit, new)
    checkpoint = open_checkpoint(repaired)
    assert checkpoint.kind == "gtcc"
    assert checkpoint.data is not None
    with h5py.File(data) as file, torch.no_grad():
        features = torch.from_numpy(file["v9/features"][:])
        embeddings = checkpoint.model.embed(features)
        ours = checkpoint.model.head(embeddings[None], torch.tensor([len(embeddings)]))[0]
        theirs = [network.progress_head(embeddings[: n + 1]) for n in range(len(embeddings))]
    torch.testing.assert_close(ours, torch.stack(theirs), atol=1e-5, rtol=0)

    # The run knows its data, so that every command starts from it without flags.
    assert "not checked" not in progfix("eval", "run", folder=tmp_path).stdout
    found = progfix("diagnose", "run", "--json", folder=tmp_path).stdout
    assert '"untrained-head"' not in found


@needs_fixtures
def test_a_head_that_their_code_cannot_hold_is_announced_and_written_as_ours(
    tmp_path: Path,
) -> None:
    data = data_for_64_columns(tmp_path / "data.h5")
    done = progfix(
        "train", "--solution", "fgs", "--init", FIXTURES / "gtcc_ab.pt", "--data", data,
        "--epochs", "1", "--out", "run", folder=tmp_path,
    )  # fmt: skip
    assert "cannot load a head of solution 'fgs'" in done.stderr
    checkpoint = open_checkpoint(tmp_path / "run")
    assert checkpoint.kind == "progfix"
    assert checkpoint.model.encoder is not None


@needs_fixtures
def test_left_to_itself_it_takes_the_best_that_their_code_can_hold(tmp_path: Path) -> None:
    data = data_for_64_columns(tmp_path / "data.h5")
    done = progfix(
        "train", "--init", FIXTURES / "gtcc_ab_ddp.pt", "--data", data, "--epochs", "1",
        folder=tmp_path,
    )  # fmt: skip
    assert "is better where you can use progfix's own checkpoints" in done.stderr
    run = tmp_path / "runs" / f"{RECOMMENDED_FOR_GTCC}-1"
    kept = safe_load(run / "checkpoint.pt")["model_state_dict"]
    assert isinstance(kept, dict)
    assert all(name.startswith("module.") for name in kept)


@needs_fixtures
def test_data_of_another_size_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = progfix(
        "train", "--init", FIXTURES / "gtcc_ab.pt", "--data", "procedures/1", "--out", "run",
        folder=tmp_path, status=2,
    )  # fmt: skip
    assert "expected features of size 64 per frame" in done.stderr
    assert "procedures/1: expected" in done.stderr.replace("\n", " ")
    assert "found 128 in all of its videos" in " ".join(done.stderr.split())
    assert not (tmp_path / "run").exists()


@needs_fixtures
def test_without_data_it_asks_for_it(tmp_path: Path) -> None:
    done = progfix("train", "--init", FIXTURES / "gtcc_ab.pt", folder=tmp_path, status=2)
    assert "--data: expected the data that gtcc_ab.pt was trained on" in done.stderr


@needs_fixtures
def test_nan_features_are_named_before_anything_is_written(tmp_path: Path) -> None:
    data = data_for_64_columns(tmp_path / "data.h5")
    with h5py.File(data, "r+") as file:
        for name in ("v1", "v7", "v9"):
            file[name]["features"][3, 5] = np.nan
    arguments = ("--init", FIXTURES / "gtcc_ab.pt", "--data", data, "--out", "run")
    done = progfix("train", *arguments, folder=tmp_path, status=2)
    assert "v1" in done.stderr
    assert "v7" in done.stderr
    assert not (tmp_path / "run").exists()
    done = progfix("eval", FIXTURES / "gtcc_ab.pt", "--data", data, folder=tmp_path, status=2)
    assert "video t v9: expected finite " in done.stderr


@needs_fixtures
def test_data_that_has_moved_leaves_what_the_file_alone_allows(tmp_path: Path) -> None:
    data = data_for_64_columns(tmp_path / "data.h5")
    arguments = ("--init", FIXTURES / "gtcc_ab.pt", "--data", data, "--epochs", "1")
    progfix("train", *arguments, "--out", "run", folder=tmp_path)
    data.rename(tmp_path / "elsewhere.h5")
    found = progfix("diagnose", "run", "--json", folder=tmp_path).stdout
    assert "data.h5" in found
    assert '"not_checked"' in found
    for command in ("eval", "viz"):
        (line,) = progfix(command, "run", folder=tmp_path, status=2).stderr.splitlines()
        assert line.startswith("error: run: expected data with features that it can answer on, ")
        assert "data.h5: no such file): name it with --data PATH" in line


@needs_fixtures
@pytest.mark.parametrize("command", [("eval",), ("viz",), ("viz", "--kind", "all")])
def test_a_checkpoint_that_knows_no_data_is_one_error(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = progfix(*command, FIXTURES / "gtcc_ab.pt", folder=tmp_path, status=2)
    assert done.stderr == (
        f"error: {FIXTURES / 'gtcc_ab.pt'}: expected data with features that it can answer on, "
        "found no --data; the checkpoint does not say what data it was trained on: "
        "name it with --data PATH\n"
    )


@needs_fixtures
@pytest.mark.parametrize("option", [("--split", "val"), ("--fit-on", "train"), ("--device", "cpu")])
def test_missing_data_is_said_before_the_options_that_need_it(
    tmp_path: Path, option: tuple[str, str]
) -> None:
    done = progfix("eval", FIXTURES / "gtcc_ab.pt", *option, folder=tmp_path, status=2)
    assert done.stderr == (
        f"error: {FIXTURES / 'gtcc_ab.pt'}: expected data, for {option[0]} to do something, "
        "found no --data; the checkpoint does not say what data it was trained on: "
        "name it with --data PATH\n"
    )
