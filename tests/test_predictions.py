import numpy as np
import pytest

from progfix.predictions import Category, Predictions, progress_targets, segment_predictions
from tests.made_predictions import made_predictions


def test_categories_keep_the_order_of_first_appearance() -> None:
    column = Category.of(["b", "a", "b"])
    assert column.names == ("b", "a")
    assert column.codes.tolist() == [0, 1, 0]
    assert column.take(np.array([2, 1])).decode() == ["b", "a"]


def test_joining_categories_merges_their_names() -> None:
    joined = Category.concat([Category.of(["x", "y"]), Category.of(["y", "z"])])
    assert joined.names == ("x", "y", "z")
    assert joined.decode() == ["x", "y", "y", "z"]
    assert len(Category.concat([])) == 0


def test_columns_of_another_length_are_refused() -> None:
    table = made_predictions()
    with pytest.raises(ValueError, match="column 'prediction': expected"):
        table.with_prediction(np.zeros(3))


def test_starts_of_segments_and_videos() -> None:
    parts = [
        segment_predictions([0.1, 0.2], video="v", segment=0),
        segment_predictions([0.1], video="v", segment=1),
        segment_predictions([0.1], video="w", segment=1),
        segment_predictions([0.1], video="w", task="t", segment=1),
    ]
    table = Predictions.concat(parts)
    assert table.segment_starts().tolist() == [0, 2, 3, 4]
    assert table.video_starts().tolist() == [0, 3, 4]
    assert table.take(slice(0, 0)).segment_starts().tolist() == []


def test_concat_keeps_an_optional_column_only_where_all_have_it() -> None:
    table = made_predictions()
    column = np.zeros(len(table))
    with_crps = Predictions(
        **{
            **{name: getattr(table, name) for name in ("video", "task", "action", "segment")},
            **{name: getattr(table, name) for name in ("elapsed", "duration", "target")},
            "prediction": table.prediction,
            "crps": column,
        }
    )
    assert Predictions.concat([with_crps, with_crps]).crps is not None
    assert Predictions.concat([with_crps, table]).crps is None
    with pytest.raises(ValueError, match="at least one chunk"):
        Predictions.concat([])


def test_targets_by_hand() -> None:
    assert progress_targets(4).tolist() == [0.25, 0.5, 0.75, 1.0]


def test_segment_predictions_from_plain_arrays() -> None:
    whole = segment_predictions([0.1, 0.9], video="v", task="t", action="a", segment=3)
    assert whole.target.tolist() == [0.5, 1.0]
    assert whole.duration.tolist() == [2, 2]
    part = segment_predictions([0.1, 0.9], video="v", elapsed=[2, 4], duration=8)
    assert part.target.tolist() == [0.25, 0.5]


@pytest.mark.parametrize(
    ("elapsed", "duration"), [([2, 2], None), ([0, 1], None), ([1, 3], 2), ([2, 1], 5)]
)
def test_segment_predictions_refuse_what_cannot_be(
    elapsed: list[int], duration: int | None
) -> None:
    with pytest.raises(ValueError, match="expected elapsed that rises within"):
        segment_predictions([0.1, 0.2], video="v", elapsed=elapsed, duration=duration)


def test_segment_predictions_refuse_other_shapes() -> None:
    with pytest.raises(ValueError, match="expected arrays of shape"):
        segment_predictions([[0.1, 0.2]], video="v")
    with pytest.raises(ValueError, match="expected arrays of shape"):
        segment_predictions([0.1, 0.2], video="v", elapsed=[1])
