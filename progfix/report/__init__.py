"""The diagnosis as one page that opens anywhere: no network, no scripts."""

from progfix.report.page import render_page
from progfix.report.pictures import Pictures, kept, take_pictures
from progfix.report.writing import PAGE, write_report

__all__ = ["PAGE", "Pictures", "kept", "render_page", "take_pictures", "write_report"]
