"""What a run writes into its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from progfix import runs
from progfix.checkpoints import open_checkpoint
from progfix.checkpoints.gtcc import expressible
from progfix.checkpoints.gtcc_new import expressible_model, write_new_gtcc
from progfix.checkpoints.gtcc_writing import write_gtcc
from progfix.checkpoints.native import save_native
from progfix.checkpoints.provenance import Provenance
from progfix.model import ProgressModel
from progfix.predict import predict
from progfix.predictions import Predictions
from progfix.predictions_io import save_predictions
from progfix.training.history import EpochRow, write_history
from progfix.training.loop_state import LoopState
from progfix.training.prepare import Prepared
from progfix.training.state import save_training

__all__ = ["saver", "write_test_predictions"]


def saver(folder: Path, prepared: Prepared, state: LoopState) -> Callable[[bool], None]:
    """Return what saves the run: the best checkpoint first, so that none is ever missing.

    All processes of a run call it together; the first one writes.
    """

    def write(best: bool) -> None:
        if best:
            _save_best(folder / runs.BEST, prepared, state.history[-1])
        save_training(folder / runs.LAST, prepared.setup, state)
        write_history(folder / runs.HISTORY, state.history)

    return lambda best: prepared.setup.processes.on_first(lambda: write(best))


def _save_best(path: Path, prepared: Prepared, row: EpochRow) -> None:
    """Write the checkpoint: in the layout of the one it repairs, where that can hold it."""
    setup, init = prepared.setup, prepared.init
    provenance = Provenance(
        recipe=setup.recipe,
        durations=prepared.durations,
        data=prepared.options.data.changed(),
        metrics={"val_mae": row.val_mae, "train_loss": row.train_loss},
    )
    model = ProgressModel(setup.model.encoder, setup.judged, raw=setup.model.raw)
    if setup.recipe.method.trains_encoder and expressible_model(model) is None:
        write_new_gtcc(
            path,
            model=model,
            adam=setup.optimisers.state_of(setup.model),
            provenance=provenance,
            epoch=row.epoch - 1,
            loss=row.val_mae,
        )
        return
    holds = not model.raw and expressible(setup.recipe.head) is None
    if init is not None and init.kind == "gtcc" and holds:
        write_gtcc(
            init,
            setup.judged.state_dict(),
            setup.recipe.head,
            path,
            adam=setup.optimisers.state_of(setup.model.head),
            provenance=provenance,
        )
        return
    save_native(
        path,
        model=model,
        provenance=provenance,
        epoch=row.epoch - 1,
        moments=setup.optimisers.moments(setup.model),
    )


def write_test_predictions(
    folder: Path, prepared: Prepared, between: Callable[[], None] = lambda: None
) -> None:
    """Write the best checkpoint's predictions of the test split, where there is one.

    Args:
        folder: The run's.
        prepared: The run.
        between: Called before every chunk of videos; what it raises leaves no file.
    """
    test = prepared.data.split("test")
    if test.durations():
        model = open_checkpoint(folder / runs.BEST).model
        chunks = predict(model.to(prepared.setup.model.device), test)
        save_predictions(folder / runs.PREDICTIONS, _watched(chunks, between))


def _watched(chunks: Iterator[Predictions], between: Callable[[], None]) -> Iterator[Predictions]:
    between()
    for chunk in chunks:
        yield chunk
        between()
