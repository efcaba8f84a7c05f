"""A diagnosis as JSON, `progfix-diagnosis/1`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from progfix.diagnosis.compare import Comparison
from progfix.diagnosis.model import Diagnosis
from progfix.files import atomic_path

__all__ = ["FILE", "FORMAT", "plain", "to_json", "write_json"]

FORMAT = "progfix-diagnosis/1"
FILE = "diagnosis.json"


def to_json(result: Diagnosis | Comparison) -> dict[str, object]:
    """Return a diagnosis, or a comparison of two, as JSON values; NaN is None.

    Beside what the format fixes (verdict, skill, positions, findings, oracles,
    not_checked) a diagnosis holds `source`, `summary`, `fault`, `ladder`, `probes`, `notices`
    and `fix_command`. A comparison has both `diagnoses`, and `gone`, `new` and `kept`.
    """
    if isinstance(result, Comparison):
        return {
            "format": FORMAT,
            "diagnoses": [to_json(result.before), to_json(result.after)],
            "gone": list(result.gone),
            "new": list(result.new),
            "kept": list(result.kept),
        }
    fields = asdict(result)
    order = dict.fromkeys(("verdict", "skill", "positions", "findings", "oracles", "not_checked"))
    return {"format": FORMAT} | {name: plain(fields[name]) for name in order | fields}


def write_json(result: Diagnosis | Comparison, folder: Path) -> Path:
    """Write diagnosis.json into a folder, atomically, and return its path.

    Raises:
        InputError: If it cannot be written.
    """
    target = folder / FILE
    text = json.dumps(to_json(result), indent=2, allow_nan=False)
    with atomic_path(target) as path:
        path.write_text(text + "\n", encoding="utf-8")
    return target


def plain(value: object) -> object:
    """Return a value of dataclasses' fields as JSON has it; what is not finite is None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
