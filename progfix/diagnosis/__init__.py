"""What is wrong with a progress head, why, and what to do about it."""

from progfix.diagnosis.contract import to_json, write_json
from progfix.diagnosis.evidence import Check, Evidence
from progfix.diagnosis.model import Diagnosis, Finding, NotChecked, Position, Skill, Summary
from progfix.diagnosis.render import render_text
from progfix.diagnosis.thresholds import THRESHOLDS, Thresholds
from progfix.diagnosis.worker import FINDINGS, diagnose

__all__ = [
    "FINDINGS",
    "THRESHOLDS",
    "Check",
    "Diagnosis",
    "Evidence",
    "Finding",
    "NotChecked",
    "Position",
    "Skill",
    "Summary",
    "Thresholds",
    "diagnose",
    "render_text",
    "to_json",
    "write_json",
]
