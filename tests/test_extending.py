"""docs/extending.md: its examples, put into a copy of the package, do what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"```python\n# (\S+\.py)(?:: (.+?))?\n(.*?)```", re.DOTALL)
DATA = "procedures/1:tasks=1,videos=6,dim=4,noise=0.5"


def _place(text: str, where: str, block: str) -> str:
    """Put a block where the page says: in a table, among the imports, instead of a line."""
    kind, _, name = where.rpartition(" ")
    if where == "among the imports":
        return text.replace("\nfrom progfix", f"\n{block}from progfix", 1)
    if kind == "instead of":
        line = next(line for line in text.splitlines() if line.startswith(f"{name} = "))
        return text.replace(line, block.rstrip())
    table = text.index(f"\n{name}: ")
    ends = {"{": "\n}", "(": "\n)"}
    opened = re.compile(r"= ([{(])").search(text, table)
    assert kind == "in"
    assert opened
    end = text.index(ends[opened[1]], opened.end())
    if name == "SOLUTIONS":  # a comprehension over a tuple
        end = text.index("\n    )\n}", opened.end())
    return f"{text[:end]}\n{block.rstrip()}{text[end:]}"


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "progfix", site / "progfix", ignore=ignored)
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert len(blocks) == page.count("```python")
    for name, where, block in blocks:
        file = site / name
        file.write_text(_place(file.read_text("utf-8"), where, block) if where else block, "utf-8")
    return site


def run(site: Path, folder: Path, *arguments: str) -> str:
    program = "from progfix.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "PATH": "", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_constant(file: Path) -> None:
    rows = [f"v{v},{t / 20},.55" for v in range(12) for t in range(1, 21)]
    file.write_text("\n".join(["video,target,prediction", *rows]) + "\n", encoding="utf-8")


@pytest.mark.slow
def test_a_solution_and_a_head(extended: Path, tmp_path: Path) -> None:
    options = ("--data", DATA, "--epochs", "1", "--device", "cpu", "--out", "wide")
    run(extended, tmp_path, "train", "--solution", "fhsw", "--head", "frame", *options)
    config = json.loads((tmp_path / "wide" / "config.json").read_text("utf-8"))
    assert config["recipe"]["solution"] == "fhsw"
    assert config["recipe"]["head"]["hidden"] == 256
    assert config["recipe"]["head"]["kind"] == "frame"
    found = json.loads(run(extended, tmp_path, "eval", "wide", "--json", "--bootstrap", "0"))
    assert 0 < found["sources"][0]["metrics"]["mae"]["value"] < 0.5
    check = (
        "import torch; from pathlib import Path; from progfix.checkpoints import open_checkpoint\n"
        "head = open_checkpoint(Path('wide/checkpoint.pt')).model.head.double()\n"
        "frames = torch.randn(1, 9, 4).double(); state = head.initial_state()\n"
        "batch = head.read(frames, torch.tensor([9])).progress[0]\n"
        "for place, frame in enumerate(frames[0]):\n"
        "    answer, state = head.step(frame[None], state)\n"
        "    assert abs(float(answer.progress - batch[place])) < 1e-9\n"
    )
    subprocess.run(
        [sys.executable, "-c", check],
        cwd=tmp_path,
        env={"PYTHONPATH": str(extended), "OMP_NUM_THREADS": "1"},
        check=True,
    )


def test_a_metric_and_a_finding(extended: Path, tmp_path: Path) -> None:
    write_constant(tmp_path / "p.csv")
    found = json.loads(run(extended, tmp_path, "eval", "p.csv", "--json"))
    # Targets .45, .5, .55, .6, .65 of the twenty, but for rounding at the ends of the interval.
    within = found["sources"][0]["metrics"]["within_10"]
    assert 3 / 20 <= within["value"] <= 5 / 20
    assert within["count"] == 240
    assert within["low"] <= within["value"] <= within["high"]
    diagnosis = json.loads(run(extended, tmp_path, "diagnose", "p.csv", "--json"))
    (finding,) = (f for f in diagnosis["findings"] if f["id"] == "stops-halfway")
    assert finding["evidence"]["last_frame_median"] == pytest.approx(0.55)


def test_a_reader(extended: Path, tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    np.save(tmp_path / "features" / "a.npy", np.zeros((30, 4), np.float32))
    np.save(tmp_path / "features" / "b.npy", np.ones((40, 4), np.float32))
    table = "video,task,split,action,start,end\na,tea,train,pour,0,9\na,tea,train,stir,10,29\n"
    (tmp_path / "segments.csv").write_text(f"{table}b,tea,test,pour,5,24\n", "utf-8")
    for path in ("segments.csv", "."):
        found = json.loads(run(extended, tmp_path, "data", "info", path, "--json"))
        assert found["description"].startswith("CSV annotations, 1 task, 2 videos, features 4-d")
    chosen = run(extended, tmp_path, "data", "check", "segments.csv", "--reader", "csv", "--json")
    assert json.loads(chosen)["data"]["segments"] == 3
