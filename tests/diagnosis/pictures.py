"""A picture of every finding, drawn from what the diagnosis saw: docs/diagnosis/*.md show them.

    python -m tests.diagnosis.pictures OUT [FINDING ...]

Diseases are planted in the small world of `tests.diagnosis.world`; beside each stands the same
head without it, where that shows more. Each picture is OUT/FINDING.png.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from progfix.plots import figures
from progfix.plots.material import Wanted, gather
from progfix.predictions import Predictions
from progfix.sources import Source
from tests.diagnosis.answer_pictures import (
    by_position,
    errors_of_tasks,
    first_frames,
    one_task_flat,
    rungs,
    same_elapsed,
)
from tests.diagnosis.data_pictures import DATA_PICTURES
from tests.diagnosis.drawing import (
    by_probe,
    by_share,
    gradients,
    positions_told,
    two_futures,
    what_is_left,
)
from tests.diagnosis.planting import DISEASES, HEALTHY
from tests.diagnosis.training_pictures import short_training
from tests.diagnosis.world import Case

__all__ = ["PICTURES", "draw"]

DPI = 170
COLOURS = 48
SEED = 1


def sound() -> Case:
    """The head that the others are compared with."""
    return HEALTHY["sees"](SEED)


def sick(disease: str) -> Case:
    """The same head with a disease."""
    return DISEASES[disease].plant(sound())


def source(label: str, case: Case) -> Source:
    return replace(case.opened(), label=label)


def pair(disease: str) -> list[Source]:
    return [source("sound", sound()), source(disease, sick(disease))]


def curves(disease: str) -> Figure:
    """Two segments, the sound head and the sick one."""
    return figures.curves_figure("paper", gather(pair(disease), Wanted(2, "longest")).segments)


def density(disease: str) -> Figure:
    known = gather(pair(disease), Wanted(segments=False)).survey
    views = [s.density(label) for label, s in zip(known.labels, known.sums, strict=True)]
    return figures.density_figure("paper", views)


def ladder(disease: str) -> Figure:
    return rungs(sick(disease).diagnose(), disease)


def calibration(disease: str) -> Figure:
    case = replace(sound(), interval=0.11)
    sources = [source("sound", case), source(disease, DISEASES[disease].plant(case))]
    known = gather(sources, Wanted(segments=False)).survey
    views = [s.calibration(label) for label, s in zip(known.labels, known.sums, strict=True)]
    return figures.calibration_figure("paper", views)


def probes(disease: str) -> Figure:
    return by_probe({"sound": sound().diagnose(), disease: sick(disease).diagnose()})


def in_percent() -> Figure:
    """Two segments of the sound head, whose answers are multiplied by 100."""
    case = source("percent", sound())

    def chunks() -> Iterator[Predictions]:
        assert case.chunks is not None
        for chunk in case.chunks():
            yield chunk.with_prediction(100 * chunk.prediction)

    wanted = Wanted(2, "longest")
    told = gather([replace(case, chunks=chunks)], wanted).segments
    return figures.curves_figure("paper", told)


def by_task() -> Figure:
    """Errors of every task, one of which is answered the same throughout."""
    return errors_of_tasks(one_task_flat(SEED))


PICTURES: Mapping[str, Callable[[], Figure]] = {
    "wrong-scale": in_percent,
    "untrained-head": lambda: gradients(short_training("baseline"), short_training("g")),
    "starved-head": lambda: what_is_left(short_training("baseline"), short_training("g")),
    "future-leak": lambda: two_futures(sick("peeking encoder"), sound()),
    "duration-blind-embeddings": lambda: by_share(
        {"sound": sound().diagnose(), "blind": sick("blind embeddings").diagnose()}
    ),
    "position-contradiction": lambda: positions_told((10, 40, 100)),
    "ignores-embeddings": lambda: probes("frame counter"),
    "order-blind": lambda: probes("order-blind"),
    "unseen-start": lambda: first_frames(pair("unseen starts"), shown_from=10),
    "head-loses-progress": lambda: ladder("loses progress"),
    "miscalibrated": lambda: calibration("narrow intervals"),
    "lost-task": by_task,
    "collapsed-range": lambda: density("narrow"),
    "no-skill": lambda: ladder("random"),
    "same-curve": lambda: same_elapsed(pair("frame counter")),
    "backwards": lambda: curves("backwards"),
    "early-bias": lambda: by_position(pair("early"), bias=True),
    "late-saturation": lambda: curves("saturates"),
    "non-monotone": lambda: curves("falls back"),
    "deceptive-middle": lambda: by_position(pair("constant"), bias=False),
    **DATA_PICTURES,
}
"""What draws each finding."""


def draw(name: str, folder: Path) -> Path:
    """Draw one picture into a folder."""
    path = folder / f"{name}.png"
    figure = PICTURES[name]()
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DPI, facecolor="white", bbox_inches="tight", pad_inches=0.04)
    # A few colours say the same in a third of the bytes.
    few = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    return path


def main(arguments: list[str]) -> None:
    folder, *names = arguments
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names or PICTURES:
        path = draw(name, Path(folder))
        sys.stdout.write(f"{path}: {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
