"""A head written back: everything else as it was, and the users' loaders take the file."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.gtcc_writing import write_gtcc
from progfix.checkpoints.reading import safe_load
from progfix.errors import InputError
from progfix.heads.spec import HeadSpec
from tests.checkpoints import their_code
from tests.checkpoints.made import (
    AB,
    BASELINE,
    EXPRESSIBLE,
    FIXTURES,
    POSITION,
    head_of,
    same,
    written,
)


@pytest.mark.parametrize("spec", EXPRESSIBLE)
def test_only_the_head_changes(source: Path, tmp_path: Path, spec: HeadSpec) -> None:
    old: dict[str, Any] = safe_load(source)
    new = written(source, spec, tmp_path / "new.pt")
    assert list(new) == list(old)
    assert (new["epoch"], new["loss"]) == (old["epoch"], old["loss"])
    state, before = new["model_state_dict"], old["model_state_dict"]
    assert type(state) is type(before)
    assert same(getattr(state, "__dict__", {}), getattr(before, "__dict__", {}))
    start = "module.progress_head." if "ddp" in source.name else "progress_head."
    kept = [name for name in before if not name.startswith(start)]
    assert [name for name in state if not name.startswith(start)] == kept
    assert all(torch.equal(state[name], before[name]) for name in kept)
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    if "frame_count" not in source.name:  # whose configuration names the columns
        assert same(new["config"], old["config"])


def test_the_same_head_gives_the_same_file(source: Path, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(source)
    head = checkpoint.model.head
    if head.spec.extra == ("prefix-length",):
        with pytest.raises(ValueError, match="prefix-length"):
            write_gtcc(checkpoint, head.state_dict(), head.spec, tmp_path / "x.pt")
        assert not (tmp_path / "x.pt").exists()
        return
    write_gtcc(checkpoint, head.state_dict(), head.spec, tmp_path / "x.pt")
    old, new = safe_load(source), safe_load(tmp_path / "x.pt")
    assert same(new["model_state_dict"], old["model_state_dict"])
    assert same(new["config"], old["config"])


@pytest.mark.parametrize("spec", EXPRESSIBLE)
def test_the_file_answers_as_the_head_did(source: Path, tmp_path: Path, spec: HeadSpec) -> None:
    torch.manual_seed(0)
    head = head_of(spec, 128)
    original = open_checkpoint(source)
    write_gtcc(original, head.state_dict(), spec, tmp_path / "x.pt")
    again = open_checkpoint(tmp_path / "x.pt")
    features, lengths = torch.randn(30, 64), torch.tensor([30])
    with torch.no_grad():
        embeddings = again.model.embed(features)
        torch.testing.assert_close(embeddings, original.model.embed(features), rtol=0, atol=0)
        answer = again.model.head(embeddings[None], lengths)
        torch.testing.assert_close(answer, head(embeddings[None], lengths), rtol=0, atol=1e-6)
    theirs = BASELINE if spec == BASELINE else AB
    assert again.model.head.spec.extra == theirs.extra
    assert again.model.head.spec.initial_state == theirs.initial_state


@pytest.mark.parametrize("spec", EXPRESSIBLE)
def test_a_head_that_normalises_is_folded(
    baseline_path: Path, tmp_path: Path, spec: HeadSpec
) -> None:
    torch.manual_seed(0)
    head = head_of(replace(spec, normalise=True, dropout=0.2), 128)
    head.fit_normalisation(torch.randn(128), torch.rand(128) + 0.1)
    original = open_checkpoint(baseline_path)
    write_gtcc(original, head.state_dict(), head.spec, tmp_path / "x.pt")
    again = open_checkpoint(tmp_path / "x.pt").model.head
    assert not again.spec.normalise
    embeddings, lengths = torch.randn(2, 30, 128), torch.tensor([30, 17])
    with torch.no_grad():
        wanted = head(embeddings, lengths)
        torch.testing.assert_close(again(embeddings, lengths), wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("spec", EXPRESSIBLE)
def test_their_loaders_take_it_and_train_on(source: Path, tmp_path: Path, spec: HeadSpec) -> None:
    torch.manual_seed(0)
    head = head_of(spec, 128)
    write_gtcc(open_checkpoint(source), head.state_dict(), spec, tmp_path / "x.pt")
    payload = safe_load(tmp_path / "x.pt")
    baseline = spec == BASELINE
    commits = ["8a6f44d", "3030255" if baseline else "238da93"]
    if source.stem == "gtcc_frame_count":
        commits.append("c864bd8")  # by its configuration, which names the columns
    prefix = torch.randn(12, 128)
    with torch.no_grad():
        wanted = head(prefix[None], torch.tensor([12]))[0, -1]
    for commit in commits:
        network, optimiser = their_code.load(commit, payload)
        progress = network.progress_head(prefix)
        torch.testing.assert_close(progress.detach(), wanted, rtol=0, atol=1e-6)
        progress.backward()
        optimiser.step()
        assert not torch.equal(network.progress_head(prefix), progress)
    with pytest.raises(RuntimeError):
        their_code.load("238da93" if baseline else "3030255", payload)


def test_the_configuration_follows_where_it_names_the_head(tmp_path: Path) -> None:
    source = FIXTURES / "gtcc_frame_count.pt"
    if not source.exists():
        pytest.skip("no checkpoints of the GTCC code base")
    old: dict[str, Any] = safe_load(source)
    original = open_checkpoint(source)
    for spec in EXPRESSIBLE:
        write_gtcc(original, head_of(spec, 128).state_dict(), spec, tmp_path / "x.pt")
        assert same(original.payload, old)  # it may be written from again
        new: dict[str, Any] = safe_load(tmp_path / "x.pt")
        learnable = new["config"]["PROGRESS_LOSS"]["learnable"]
        wanted = dict(old["config"]["PROGRESS_LOSS"]["learnable"])
        wanted["use_frame_count"] = False
        wanted["use_position_encoding"] = spec != BASELINE
        assert dict(learnable) == wanted
        assert vars(learnable) == wanted  # an EasyDict's attributes are its entries
        assert list(learnable) == list(wanted)


def test_numbers_keep_the_format_of_the_original(tmp_path: Path, baseline_path: Path) -> None:
    payload: dict[str, Any] = safe_load(baseline_path)
    state = payload["model_state_dict"]
    payload["model_state_dict"] = OrderedDict((n, t.half()) for n, t in state.items())
    torch.save(payload, tmp_path / "half.pt")
    new = written(tmp_path / "half.pt", AB, tmp_path / "x.pt")
    assert {tensor.dtype for tensor in new["model_state_dict"].values()} == {torch.float16}


def test_a_head_is_added_to_an_encoder_without_one(tmp_path: Path, baseline_path: Path) -> None:
    payload: dict[str, Any] = safe_load(baseline_path)
    state = payload["model_state_dict"]
    bare = OrderedDict((n, t) for n, t in state.items() if not n.startswith("progress_head."))
    payload["model_state_dict"] = bare
    torch.save(payload, tmp_path / "bare.pt")
    checkpoint = open_checkpoint(tmp_path / "bare.pt", new_head=AB)
    head = head_of(AB, 128)
    write_gtcc(checkpoint, head.state_dict(), AB, tmp_path / "x.pt")
    again: dict[str, Any] = safe_load(tmp_path / "x.pt")
    assert list(again["model_state_dict"])[: len(bare)] == list(bare)
    assert open_checkpoint(tmp_path / "x.pt").model.head.spec == AB
    their_code.load("238da93", {**again, "optimizer_state_dict": _fresh(again)})


def _fresh(payload: dict[str, Any]) -> dict[str, Any]:
    parameters = [torch.nn.Parameter(t) for t in payload["model_state_dict"].values()]
    return torch.optim.Adam(parameters).state_dict()


def test_heads_that_cannot_be_written(tmp_path: Path, baseline_path: Path) -> None:
    checkpoint = open_checkpoint(baseline_path)
    for spec in (HeadSpec(extra=("elapsed",)), HeadSpec(kind="pooled")):
        with pytest.raises(ValueError, match="its "):
            write_gtcc(checkpoint, {}, spec, tmp_path / "x.pt")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path, baseline_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a place that can be written"):
        written(baseline_path, POSITION, tmp_path / "file" / "x.pt")
