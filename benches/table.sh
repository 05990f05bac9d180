#!/usr/bin/env bash
# Prints benches/RESULTS.md from the records that criterion has left of the last run:
#
#   cargo bench -p mathsmith --bench '*' -- --warm-up-time 1 --measurement-time 2
#   benches/table.sh > benches/RESULTS.md
#
# A record holds the median in nanoseconds, and the number of elements if the benchmark has a throughput.
set -euo pipefail
cd "$(dirname "$0")/.."
records="${CARGO_TARGET_DIR:-target}/criterion"
[ -d "$records" ] || { echo "no records in $records: run the benches first, as the head of $0 says" >&2; exit 2; }

field() { sed -En "s/.*$2.*/\\1/p" "$1"; }

cat <<EOF
# One run of the benches

| | |
| --- | --- |
| machine | $(lscpu | sed -n 's/^Model name: *//p' | head -1), $(nproc) cores, $(uname -m) |
| system | $(. /etc/os-release && echo "$PRETTY_NAME"), Linux $(uname -r) |
| compiler | $(rustc --version), profile \`bench\` |
| date | $(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD) |
| command | \`cargo bench -p mathsmith --bench '*' -- --warm-up-time 1 --measurement-time 2\` |

Medians of one run on one core, made with \`benches/table.sh\`. The machine is shared with other work, so the figures are
noisy: a repetition may differ by a third, and by more where other work takes the cores. Compare within the table, or
repeat it on a quiet machine. "A second" is elements a second: fits, rows, inputs, skeletons or points, as the name says.
"Wanted" is a figure that the project has set itself, for one core: fits of a program of ten operations on 32 nodes, and
inputs swept where the reference is one function of CORE-MATH.

| benchmark | median | a second | wanted |
| --- | ---: | ---: | ---: |
EOF
find "$records" -path '*/new/estimates.json' | while read -r estimates; do
    about="${estimates%estimates.json}benchmark.json"
    median=$(field "$estimates" '"median":\{"confidence_interval":\{[^}]*\},"point_estimate":([0-9.eE+-]+)')
    elements=$(field "$about" '"throughput":\{"Elements":([0-9]+)\}')
    printf '%s\t%s\t%s\n' "$(field "$about" '"full_id":"([^"]*)"')" "$median" "${elements:-0}"
done | LC_ALL=C sort | LC_ALL=C awk -F '\t' '
    function scaled(x, units, n, i) { for (i = 1; i < n && x >= 1000; i++) x /= 1000; return sprintf(units[i] == "" ? "%.3g" : "%.3g %s", x, units[i]) }
    BEGIN { split("ns,µs,ms,s", time, ","); split(",thousand,million,billion", many, ",") }
    {
        wanted = $1 ~ /^fit\/least squares, 10 operations/ ? 8e3 : $1 ~ /^sweep\/[a-z0-9]+\(x\), 1 program/ ? 60e6 : 0
        rate = $3 ? scaled($3 * 1e9 / $2, many, 4) : ""
        printf "| %s | %s | %s | %s |\n", $1, scaled($2, time, 4), rate, wanted ? scaled(wanted, many, 4) : ""
    }'
