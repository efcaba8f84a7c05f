from __future__ import annotations

from progfix.data.views import MAX_VIEWS, AnnotationList, collapse_views


def annotation(*rows: tuple[str, float, float]) -> AnnotationList:
    actions, starts, ends = zip(*rows, strict=True)
    return AnnotationList(actions, starts, ends)


ONE = annotation(("0", 0, 10), ("cut", 10, 30), ("0", 30, 40))
TWO = annotation(("0", 0, 12), ("stir", 12, 30), ("0", 30, 40))
SHIFTED = annotation(("0", 0, 7), ("cut", 7, 28), ("0", 28, 35))
TRUNCATED = annotation(("0", 0, 10), ("cut", 10, 25))
SINGLE = annotation(("0", 0, 5))


def test_equal_lists_are_views_and_others_are_not() -> None:
    assert collapse_views([ONE, ONE, TWO]) == [ONE, TWO]
    assert collapse_views([ONE, TWO, ONE]) == [ONE, TWO, ONE]


def test_a_shifted_or_truncated_view_belongs_to_its_recording() -> None:
    # Starts 10, 30 against 7, 28: shifts 3 and 2, which rounding explains.
    assert collapse_views([ONE, SHIFTED, ONE, TRUNCATED, SINGLE, TWO]) == [ONE, TWO]


def test_a_shift_that_changes_is_another_recording() -> None:
    stretched = annotation(("0", 0, 10), ("cut", 10, 60), ("0", 60, 70))
    assert collapse_views([ONE, stretched]) == [ONE, stretched]


def test_the_annotation_of_most_views_stands_for_the_recording() -> None:
    assert collapse_views([SHIFTED, ONE, ONE]) == [ONE]
    assert collapse_views([TRUNCATED, ONE]) == [ONE]  # a tie: more segments win


def test_a_run_longer_than_the_cameras_is_two_recordings() -> None:
    assert collapse_views([ONE] * (2 * MAX_VIEWS)) == [ONE, ONE]


def test_nothing_collapses_to_nothing() -> None:
    assert collapse_views([]) == []
