from pathlib import Path

from progfix.metrics.alignment.variants import DEFINITIONS, METRICS, SAME, VARIANTS

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_table_of_variants_is_that_of_the_code() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    head = next(line for line in lines if line.startswith("| metric | papers |"))
    names = [cell.strip("` ") for cell in head.split("|")[3:-1]]
    assert names == list(VARIANTS[1:])
    rows = [line.split("|")[1:-1] for line in lines[lines.index(head) + 2 :][:7]]
    told = []
    for row in rows:
        first, *others = [name.strip("` ") for name in row[0].split(",")]
        stem = first.rpartition("_")[0]
        metrics = [first, *(n if n in METRICS else stem + n for n in others)]
        told += metrics
        for variant, cell in zip(names, row[2:], strict=True):
            for metric in metrics:
                definition = DEFINITIONS[variant].get(metric, "")  # type: ignore[index]
                assert (definition == "") == (cell.strip() == ""), (metric, variant)
                assert (definition == SAME) == (cell.strip() == "the default"), (metric, variant)
    assert sorted(told) == sorted(METRICS)
