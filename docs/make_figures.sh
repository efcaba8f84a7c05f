#!/usr/bin/env bash
# Makes every figure of README and docs/gallery.md, in about three minutes on two cores.
# Run it in an empty folder with progfix installed: bash docs/make_figures.sh IMAGES
set -euo pipefail
images=$(mkdir -p "$1" && cd "$1" && pwd)
for solution in baseline fghsv; do
  [ -e "runs/$solution-1" ] || progfix train --solution "$solution" --epochs 20
done
both="runs/baseline-1 runs/fghsv-1"
# shellcheck disable=SC2086  # two paths
{
  progfix viz $both --num-segments 5 --out screen
  progfix viz $both --kind density,ladder,training --style paper --out paper
  progfix viz $both --kind timeline --num-segments 2 --style paper --out paper
}
progfix viz runs/fghsv-1 --kind curves,calibration --style paper --out intervals
cp screen/curves.png "$images/before-after.png"
cp screen/positions.png "$images/positions.png"
for kind in density ladder training timeline; do cp "paper/$kind.png" "$images/$kind.png"; done
cp intervals/curves.png "$images/intervals.png"
cp intervals/calibration.png "$images/calibration.png"

# The pictures of docs/diagnosis, one a finding; from the repository's root, as they are drawn from
# diseases that the tests plant.
(cd "$(dirname "$(realpath "$0")")/.." && python -m tests.diagnosis.pictures "$images/findings")
