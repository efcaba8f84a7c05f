"""How errors are worded."""

from __future__ import annotations

import pytest

from progfix.errors import InputError, Problem, at_most, listed


def test_a_long_list_is_cut_and_counted() -> None:
    assert listed([]) == "none"
    assert listed([], none="") == ""
    assert listed("abcdefgh") == "a, b, c, d, e, f, g, h"
    assert listed(range(9)) == "0, 1, 2, 3, 4, 5, 6, 7 and 1 more"
    assert listed(range(2008)).endswith("7 and 2,000 more")


def test_a_long_name_is_cut() -> None:
    assert listed(["x" * 80, "y" * 1000]) == "x" * 80 + ", " + "y" * 80 + "..."


def test_many_problems_of_one_kind_are_cut_and_counted() -> None:
    problems = [Problem(f"x{i}", "a", "b", "c") for i in range(1_009)]
    rest = {"where": "f", "expected": "sound weights", "kind": "that are not", "fix": "c"}
    assert at_most(problems[:8], **rest) == problems[:8]
    assert at_most(problems, **rest) == [
        *problems[:8],
        Problem("f", "sound weights", "1,001 more that are not", "c"),
    ]


def test_a_problem_is_one_line_that_a_terminal_only_prints() -> None:
    problem = Problem("a\nb", "x", "\x1b[31mred\x07", "Größe ok")
    assert str(problem) == r"a\nb: expected x, found \x1b[31mred\x07; Größe ok"


def test_an_error_without_a_problem_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        InputError([])
