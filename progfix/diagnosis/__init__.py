"""What is wrong with a progress head, why, and what to do about it."""

from progfix.diagnosis.compare import Comparison, compare_diagnoses
from progfix.diagnosis.contract import to_json, write_json
from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.model import (
    Diagnosis,
    Fault,
    Finding,
    NotChecked,
    Position,
    Rung,
    Skill,
    Summary,
)
from progfix.diagnosis.render import render_text
from progfix.diagnosis.thresholds import THRESHOLDS, Thresholds
from progfix.diagnosis.worker import FINDINGS, diagnose

__all__ = [
    "FINDINGS",
    "THRESHOLDS",
    "Check",
    "Comparison",
    "Diagnosis",
    "Evidence",
    "Fault",
    "Finding",
    "NotChecked",
    "Position",
    "Rung",
    "Skill",
    "Summary",
    "Thresholds",
    "compare_diagnoses",
    "diagnose",
    "render_text",
    "to_json",
    "write_json",
]
