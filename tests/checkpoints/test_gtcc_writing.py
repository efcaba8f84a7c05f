"""A head written back: everything else as it was, and the users' loaders take the file."""

from __future__ import annotations

import sys
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
from tests.checkpoints.made import AB, BASELINE, EXPRESSIBLE, FIXTURES, H0, POSITION, head_of


@pytest.fixture(params=["baseline", "ab_ddp", "frame_count", "frozen_head"])
def source(request: pytest.FixtureRequest) -> Path:
    """One file of each kind: plain, prefixed, with a configured head, with moments."""
    path = FIXTURES / f"gtcc_{request.param}.pt"
    if not path.exists():
        pytest.skip(f"no checkpoints of the GTCC code base in {FIXTURES}")
    return path


def same(one: Any, other: Any) -> bool:
    """Equal values, types and order; of a dictionary also its attributes."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return (
            list(one) == list(other)
            and all(same(one[key], other[key]) for key in one)
            and same(getattr(one, "__dict__", None), getattr(other, "__dict__", None))
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def written(source: Path, spec: HeadSpec, target: Path, **options: Any) -> dict[str, Any]:
    torch.manual_seed(0)
    head = head_of(spec, 128)
    write_gtcc(open_checkpoint(source), head.state_dict(), spec, target, **options)
    return safe_load(target)


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


def adam_after_a_step(spec: HeadSpec) -> tuple[Any, dict[str, Any]]:
    head = head_of(spec, 128)
    optimiser = torch.optim.Adam(head.parameters(), lr=1e-3)
    head(torch.randn(2, 9, 128), torch.tensor([9, 5])).sum().backward()
    optimiser.step()
    return head, {n: optimiser.state[p] for n, p in head.named_parameters()}


@pytest.mark.parametrize("spec", EXPRESSIBLE)
@pytest.mark.parametrize("kept", [True, False])
def test_the_optimiser_goes_on(source: Path, tmp_path: Path, spec: HeadSpec, kept: bool) -> None:
    old: dict[str, Any] = safe_load(source)["optimizer_state_dict"]  # type: ignore[assignment]
    original = open_checkpoint(source)
    head, adam = adam_after_a_step(spec)
    path = tmp_path / "x.pt"
    write_gtcc(original, head.state_dict(), spec, path, adam=adam if kept else None)
    payload: dict[str, Any] = safe_load(path)
    new = payload["optimizer_state_dict"]
    names = list(payload["model_state_dict"])
    (group,) = new["param_groups"]
    assert group["params"] == list(range(len(names)))
    assert {k: v for k, v in group.items() if k != "params"} == {
        k: v for k, v in old["param_groups"][0].items() if k != "params"
    }
    for index, name in enumerate(names):
        if "progress_head" not in name:
            assert same(new["state"].get(index), old["state"].get(index))
        elif not kept:
            assert index not in new["state"]
    if not kept:
        assert open_checkpoint(path).moments is None
        return
    moments = open_checkpoint(path).moments
    assert moments is not None
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None
        # After one step the bias-corrected second moment is the gradient itself; a column
        # of zeros for a position that was not there leaves the sum of squares as it is.
        entries = parameter.numel()
        if spec == H0 and name == "gru.weight_ih_l0":
            entries += parameter.shape[0]
        rms = float((parameter.grad.double() ** 2).sum() / entries) ** 0.5
        assert moments[f"head.{name}"].rms == pytest.approx(rms, rel=1e-5)
        assert moments[f"head.{name}"].step == 1
    their_code.load("3030255" if spec == BASELINE else "238da93", payload)


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


@pytest.mark.parametrize("groups", ["head-only", "several", "foreign", "none"])
def test_other_optimisers(tmp_path: Path, baseline_path: Path, groups: str) -> None:
    payload: dict[str, Any] = safe_load(baseline_path)
    entry = {"lr": 0.1, "betas": (0.9, 0.999), "params": list(range(8))}
    table: Any = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [entry]}
    if groups == "several":
        table["param_groups"] = [entry, {**entry, "params": [8, 9]}]
    elif groups == "foreign":
        entry["params"] = [0, 1]
    elif groups == "none":
        table = None
    payload["optimizer_state_dict"] = table
    torch.save(payload, tmp_path / "source.pt")
    new = written(tmp_path / "source.pt", AB, tmp_path / "x.pt")["optimizer_state_dict"]
    if groups == "none":
        assert new is None
        return
    assert new["state"] == {}
    expected = list(range(9)) if groups == "head-only" else entry["params"]
    assert new["param_groups"][0]["params"] == expected


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


STAND_IN = """
class EasyDict(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        super().__setattr__(key, value)
    __setattr__ = __setitem__
"""


def test_plain_loading_gives_an_easydict(
    tmp_path: Path, baseline_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "easydict.py").write_text(STAND_IN)
    monkeypatch.delitem(sys.modules, "easydict", raising=False)
    written(baseline_path, AB, tmp_path / "x.pt")
    assert "easydict" not in sys.modules
    monkeypatch.syspath_prepend(str(tmp_path))
    payload = torch.load(tmp_path / "x.pt", weights_only=False)
    config = payload["config"]
    assert type(config).__module__ == "easydict"
    assert type(config).__name__ == "EasyDict"
    assert type(config.PROGRESS_LOSS.learnable) is type(config)
    assert config.PROGRESS_LOSS.learnable.hidden_dim == 64
    assert config.ARCHITECTURE.attn_layers is config["ARCHITECTURE"]["attn_layers"]
    assert type(payload["model_state_dict"]) is OrderedDict
    monkeypatch.delitem(sys.modules, "easydict")


def test_plain_loading_with_the_real_package(tmp_path: Path, baseline_path: Path) -> None:
    easydict = pytest.importorskip("easydict")
    written(baseline_path, AB, tmp_path / "x.pt")
    assert sys.modules["easydict"] is easydict
    config = torch.load(tmp_path / "x.pt", weights_only=False)["config"]
    assert type(config) is easydict.EasyDict
    assert config == torch.load(baseline_path, weights_only=False)["config"]


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
