"""Defects of the data as findings, beside those of the head."""

from __future__ import annotations

import math
from dataclasses import replace

from progfix.data.checks import check_dataset
from progfix.data.dataset import Dataset
from progfix.data.findings import DataFinding
from progfix.data.options import DataOptions, is_built_in
from progfix.diagnosis.curves import CurveSums
from progfix.diagnosis.model import Finding, NotChecked
from progfix.diagnosis.text import percent

__all__ = ["FEATURE_BYTES", "data_findings"]

FEATURE_BYTES = 512 * 1024**2
"""Features that a diagnosis reads to check them; `progfix data check` reads any amount."""

_NEEDLESS = frozenset({"overlapping-segments", "missing-splits"})
"""Notices about how the data was read that say nothing about an error."""


def data_findings(
    data: Dataset, curves: CurveSums
) -> tuple[tuple[Finding, ...], tuple[NotChecked, ...]]:
    """Check the data that a source was opened on, all splits of it.

    The built-in data is generated and known to be sound.

    Args:
        data: As `progfix.data.open.open_dataset` returned it.
        curves: Of the predictions, for the share of the error in actions of one frame.

    Returns:
        Findings, and what could not be looked for.

    Raises:
        InputError: If the data cannot be read any more.
    """
    if not data.origin or is_built_in(data.origin):
        return (), ()
    options = DataOptions.from_json({**data.options, "path": data.origin}, where=data.origin)
    read = 0 < feature_bytes(data) <= FEATURE_BYTES
    check = check_dataset(options, features=read)
    findings = [
        _finding(found, curves)
        for found in check.findings
        if not (found.mended or (found.id in _NEEDLESS and found.severity == "info"))
    ]
    missing = [
        NotChecked(name, f"{why}; `progfix data check` reads them" if "not read" in why else why)
        for name, why in check.not_checked
    ]
    return tuple(findings), tuple(missing)


def feature_bytes(data: Dataset) -> int:
    """Return the size of all features as float32."""
    return sum(4 * math.prod(v.features.shape) for v in data if v.features is not None)


def _finding(found: DataFinding, curves: CurveSums) -> Finding:
    numbers = {
        name: value
        for name, value in found.evidence.items()
        if value is None or isinstance(value, float | int | str)
    }
    examples = "; ".join(found.examples)
    result = Finding(
        found.id,
        found.severity,
        found.title,
        f"{found.text.why[0].upper()}{found.text.why[1:]}.",
        {**numbers, "examples": examples} if examples else numbers,
        advice=f"To mend it: {'; or '.join(found.remedies)}.",
    )
    if found.id == "one-frame-actions" and curves.frames:
        total = float(curves.tenths[:, 1].sum())
        share = curves.one_frame / total if total else math.nan
        result = replace(
            result,
            title=f"{result.title}, and {percent(share)} of the error",
            evidence={**result.evidence, "share_of_error": share},
        )
    return result
