"""What a sweep says of the encoders that it trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from progfix.evaluation.alignment import align
from progfix.sources import SourceOptions, open_source
from progfix.sweeps import sweep
from progfix.sweeps.tables import ALIGNMENT_COLUMNS, csv_text, markdown

DATA = "procedures/1:tasks=1,videos=18,dim=4,noise=0.5"


@pytest.mark.slow
def test_encoders_are_measured_as_eval_measures_them(tmp_path: Path) -> None:
    method: dict[str, float | int | bool | str] = {
        "method": "tcc",
        "embedding-size": 4,
        "alignment-frames": 16,
        "epochs": 1,
    }
    outcome = sweep(["gs"], seeds=2, data=DATA, settings=method, out=tmp_path / "sweep", jobs=1)
    assert outcome.result is not None
    for cell in outcome.result.trained:
        for name in ALIGNMENT_COLUMNS:
            by_seed = cell.scores[name].by_seed
            for seed, run in cell.runs.items():
                source = open_source(run, SourceOptions())
                assert by_seed[seed] == align(source).scores[name].value
            assert cell.scores[name].pooled.value == pytest.approx(np.mean(list(by_seed.values())))
    assert "Kendall's tau | phase progression |" in markdown(outcome.result)
    assert "gs,cell,kendalls_tau,0," in csv_text(outcome.result)
