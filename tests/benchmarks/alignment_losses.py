"""Times the alignment losses against what a user would otherwise run.

    python -m tests.benchmarks.alignment_losses [--json] [--quick] [--only soft_dtw ...]

Forward and backward, one thread, medians of interleaved runs. Competitors: a loop over pairs,
mixtures fitted row by row (L-BFGS, and the same EM), tslearn's compiled soft-DTW, POT's
log-domain Sinkhorn. A competitor that is not installed is reported as missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial

import torch
from torch import Tensor

from progfix.alignment import draw_gtcc, fit_mixture, gtcc, lav, sinkhorn, soft_dtw, tcc, vava
from progfix.alignment.compat.mixture import fit_mixture_lbfgs
from progfix.alignment.neighbours import offsets, scaled_by, similarities
from progfix.alignment.videos import group_of
from tests.benchmarks.measuring import Live, Row, Run, backward, compare, medians


def videos(frames: int, size: int = 4) -> tuple[Tensor, Tensor]:
    walk = torch.randn(size, frames, 128).cumsum(1) / frames**0.5
    return walk.requires_grad_(), torch.full((size,), frames)


def tcc_by_pairs(embeddings: Tensor) -> Tensor:
    """The formula as one would write it for two videos, over all ordered pairs."""
    losses = []
    for i, x in enumerate(embeddings):
        for j, y in enumerate(embeddings):
            if i == j:
                continue
            scale = 0.1 * x.shape[1]
            alpha = torch.softmax(-torch.cdist(x, y).square() / scale, 1)
            beta = torch.softmax(-torch.cdist(alpha @ y, x).square() / scale, 1)
            index = torch.arange(float(len(x)))
            mean = beta @ index
            variance = (beta * (index - mean[:, None]).square()).sum(1).clamp_min(1 / 12)
            terms = (index - mean).square() / variance + 0.0005 * variance.log()
            losses.append(terms.mean())
    return torch.stack(losses).mean()


def two_by_two(loss: Callable[[Tensor, Tensor], Tensor], e: Tensor, lengths: Tensor) -> Tensor:
    size = len(e)
    pairs = [[i, j] for i in range(size) for j in range(i + 1, size)]
    return torch.stack([loss(e[pair], lengths[pair]) for pair in pairs]).mean()


def loops(repeats: int) -> Iterator[Row]:
    for frames in (8, 32, 200):
        bar = 3.0 if frames <= 32 else 1.0
        e, lengths = videos(frames)
        size = f"4 x {frames}"
        yield compare(
            f"tcc {size}",
            backward(tcc, e, lengths),
            "loop over pairs",
            backward(tcc_by_pairs, e),
            bar=bar,
            repeats=repeats,
        )
        for name, loss in (("vava", vava), ("lav", lav)):
            yield compare(
                f"{name} {size}",
                backward(loss, e, lengths),
                "loop over pairs",
                backward(two_by_two, loss, e, lengths),
                bar=bar,
                repeats=repeats,
            )


def mixtures(repeats: int) -> Iterator[Row]:
    """The loss with its fits made row by row: a sample of rows, scaled up, plus the rest."""
    e, lengths = videos(200)
    scaled = scaled_by(group_of(e.detach(), lengths), 0.1)
    pairs = scaled.ordered_pairs()
    logits = similarities(pairs) + offsets(scaled)[pairs.second][:, None]
    alpha = logits.softmax(-1).flatten(0, 1)
    sample = alpha[torch.randperm(len(alpha))[:60]]
    length = torch.tensor([200])

    def at_once() -> None:
        fit_mixture(alpha, length.expand(len(alpha)), 15)

    def by_em() -> None:
        for row in sample:
            fit_mixture(row[None], length, 15)

    def by_lbfgs() -> None:
        for row in sample[:8]:
            fit_mixture_lbfgs(row, 15)

    fit_ms, em_ms, lbfgs_ms = medians(at_once, by_em, by_lbfgs, repeats=max(3, repeats // 4))
    for rows in (200, 20):
        draws = draw_gtcc(lengths, max_rows=rows)
        run = backward(gtcc, e, lengths, draws=draws)
        (ours,) = medians(run, repeats=repeats)
        count = len(pairs) * rows
        rest = ours - fit_ms / len(alpha) * count
        for name, fits, bar in (
            ("L-BFGS row by row", lbfgs_ms / 8 * count, 20.0),
            ("same EM row by row", em_ms / 60 * count, 5.0),
        ):
            what, taken = f"gtcc 4 x 200, {rows} rows", fits + rest
            yield Row(what, name, ours, taken, taken / ours, bar, f"fits alone {fits / ours:.1f}x")


def dynamic_programmes(repeats: int) -> Iterator[Row]:
    cost = torch.rand(64, 200, 200, requires_grad=True)
    ours = backward(lambda: soft_dtw(cost, 0.1).sum())
    what = "soft_dtw 64 x 200 x 200"
    try:
        from tslearn.metrics.soft_dtw_loss_pytorch import _SoftDTWLossPyTorch
    except ImportError:
        (mine,) = medians(ours, repeats=repeats)
        yield Row(what, "tslearn (numba)", mine, None, None, 1.0)
    else:
        theirs = backward(lambda: _SoftDTWLossPyTorch.apply(cost * 1, 0.1).sum())
        yield compare(what, ours, "tslearn (numba)", theirs, bar=1.0, repeats=repeats)
    if torch.cuda.is_available():
        yield from on_gpu(repeats)


def on_gpu(repeats: int) -> Iterator[Row]:
    """Soft-DTW at 64 x 512 x 512: against one CPU thread, and against the memory's speed."""
    cost = torch.rand(64, 512, 512, device="cuda", requires_grad=True)
    host = cost.detach().cpu().requires_grad_()

    def timed(run: Run) -> Run:
        def synchronised() -> None:
            run()
            torch.cuda.synchronize()

        return synchronised

    gpu, cpu = medians(
        timed(backward(lambda: soft_dtw(cost, 0.1).sum())),
        backward(lambda: soft_dtw(host, 0.1).sum()),
        repeats=min(repeats, 5),
        clock=time.perf_counter,
    )
    block = torch.empty(2**28, device="cuda")
    (copied,) = medians(timed(block.clone), repeats=5, clock=time.perf_counter)
    least = 16 * cost.numel() / (2 * block.numel() * 4 / copied)  # cost, scores twice, gradient
    yield Row(
        "soft_dtw 64 x 512 x 512, GPU",
        "one CPU thread",
        gpu,
        cpu,
        cpu / gpu,
        10.0,
        f"{100 * least / gpu:.1f} % of the copy bandwidth",
    )


def transports(repeats: int) -> Iterator[Row]:
    for dtype in (torch.float32, torch.float64):
        x, y = torch.randn(2, 12, 200, 8, dtype=dtype)
        cost, marginal = torch.cdist(x, y).square() / 8, torch.full((200,), 1 / 200, dtype=dtype)
        what = f"sinkhorn 12 x 200 x 200, {str(dtype)[6:]}"
        try:
            import ot
        except ImportError:
            (mine,) = medians(partial(sinkhorn, cost, 0.1), repeats=repeats)
            yield Row(what, "POT sinkhorn_log", mine, None, None, 1.0)
            continue

        def solve(cost: Tensor = cost, marginal: Tensor = marginal) -> float:
            worst = 0.0
            for problem in cost:
                plan = ot.bregman.sinkhorn_log(
                    marginal, marginal, problem, 0.1, stopThr=2e-5, numItermax=5000
                )
                error = (plan.sum(0) - marginal).abs().sum() + (plan.sum(1) - marginal).abs().sum()
                worst = max(worst, float(error))
            return worst

        tolerance = solve()
        yield compare(
            what,
            partial(sinkhorn, cost, 0.1, tolerance=tolerance, max_iterations=5000),
            "POT sinkhorn_log",
            solve,
            bar=1.0,
            repeats=repeats,
            note=f"forward, marginal error {tolerance:.1e}",
        )


def peaks(sizes: tuple[int, ...]) -> dict[str, dict[int, float]]:
    """Peak bytes per entry of the N x M matrix of one pair, forward and backward."""
    losses: dict[str, Callable[..., Tensor]] = {
        "tcc": tcc,
        "gtcc, 20 rows": gtcc,
        "lav": lav,
        "vava": vava,
    }
    report: dict[str, dict[int, float]] = {name: {} for name in [*losses, "soft_dtw alone"]}
    for frames in sizes:
        cost = torch.rand(1, frames, frames, requires_grad=True)
        with Live() as live:
            backward(lambda cost: soft_dtw(cost, 0.1).sum(), cost)()
        report["soft_dtw alone"][frames] = live.peak / frames**2
        for name, loss in losses.items():
            e, lengths = videos(frames, 2)
            settings = {"draws": draw_gtcc(lengths, max_rows=20)} if loss is gtcc else {}
            with Live() as live:
                backward(loss, e, lengths, **settings)()
            report[name][frames] = live.peak / frames**2
    return report


SECTIONS = {
    "pairs": loops,
    "gtcc": mixtures,
    "soft_dtw": dynamic_programmes,
    "sinkhorn": transports,
}


def main(arguments: list[str] | None = None) -> None:
    """Print the table, or its rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="few repeats, no memory section")
    parser.add_argument("--only", nargs="*", choices=[*SECTIONS, "memory"])
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    chosen = options.only or [*SECTIONS, *([] if options.quick else ["memory"])]
    repeats = 3 if options.quick else 15
    rows = [row for name in chosen if name in SECTIONS for row in SECTIONS[name](repeats)]
    memory = peaks((500, 1000, 2000)) if "memory" in chosen else {}
    if options.json:
        report = {"rows": [asdict(row) for row in rows], "peak_bytes_per_entry": memory}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return
    lines = [Row.HEADER, *(row.line() for row in rows)]
    for name, taken in memory.items():
        sizes = ", ".join(f"{peak:.0f} at {frames} frames" for frames, peak in taken.items())
        lines.append(f"peak bytes per entry of N x M, one pair, {name}: {sizes}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
