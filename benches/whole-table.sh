#!/usr/bin/env bash
# Finds the whole functions of benches/whole and prints a table of them: one command each, on all cores.
#
#   benches/whole-table.sh [folder for the runs] [name ...] > benches/WHOLE.md
#
# A function whose run is in the folder is not run again, so an interrupted table is gone on with. Names choose some of them
# (`exp-u10`, or `exp` for all of exp). BIN is the binary (target/release/mathsmith), FLAGS are flags of `mathsmith approx` for
# all of them, such as --evals or --time.
set -euo pipefail
cd "$(dirname "$0")/.."
bin="${BIN:-target/release/mathsmith}"
runs="${1:-$(mktemp -d)}"
[ $# -gt 0 ] && shift
[ -x "$bin" ] || { echo "no $bin: run 'make build' first" >&2; exit 2; }
mkdir -p "$runs"

# One row from the record of a run: the cheapest entry that meets the bound, else the closest one.
row() {
    python3 - "$1" "$2" <<'PYTHON'
import json, pathlib, sys

name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
seconds = folder.joinpath("seconds").read_text().strip() if folder.joinpath("seconds").exists() else "-"
record = folder / "front.json"
if not record.exists():
    why = folder.joinpath("message").read_text().strip().splitlines() if folder.joinpath("message").exists() else []
    print(f"| {name} | {seconds} | - | - | - | - | - | {why[0] if why else 'no answer'} |")
    sys.exit()
front = json.loads(record.read_text())
met = [e for e in front["front"] if e["meets_bound"]]
if met:
    best = min(met, key=lambda e: e["cost"]["cycles"])
else:
    best = min(front["front"], key=lambda e: e["error"]["max_ulp"], default=None)
evaluations = f"{front['evaluations']:,}".replace(",", " ")
bound = front["problem"]["bound"]["value"]
if best is None:
    print(f"| {name} | {seconds} | {evaluations} | {front['seed']} | - | - | - | no program found |")
    sys.exit()
ulp = best["error"]["max_ulp"]
ulp = f"{ulp:.3f}" if met else f"{ulp:.3f}, not {bound:g}"
origin = best.get("origin") or best["id"]
print(
    f"| {name} | {seconds} | {evaluations} | {front['seed']} | {ulp} | {best['cost']['cycles']:.2f} | {best['ops']} "
    f"({best['fma']} fma) | {origin.replace('|', '/')} |"
)
PYTHON
}

cat <<HEAD
# Whole functions: what one command finds

| | |
| --- | --- |
| machine | $(lscpu | sed -n 's/^Model name: *//p' | head -1), $(nproc) cores |
| date | $(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD), made with \`benches/whole-table.sh\` |
| command | \`mathsmith approx benches/whole/NAME.smith${FLAGS:+ $FLAGS}\` |

Every f32 is an input (sin, cos and tan: up to 2^17), specials included; errors are of all of them (\`exhaustive\`). Time is wall
time of the command; cycles are modelled on x86-64-v3, an element; operations count as in docs/front.md.

| function | seconds | evaluations | seed | max ULP | cycles | operations | origin |
| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |
HEAD
for file in benches/whole/*.smith; do
    name="$(basename "$file" .smith)"
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "* | *" ${name%-*} "*) ;; *) continue ;; esac
    fi
    run="$runs/$name"
    if [ ! -e "$run/seconds" ]; then
        mkdir -p "$run"
        begin=$(date +%s.%N)
        code=0
        # shellcheck disable=SC2086
        "$bin" approx "$file" ${FLAGS:-} --quiet --out "$run" > "$run/printed" 2> "$run/message" || code=$?
        # Interrupted: the run is in its folder, and there is no row yet.
        [ "$code" -ne 130 ] || exit 130
        echo "$begin $(date +%s.%N)" | awk '{ printf "%.0f\n", $2 - $1 }' > "$run/seconds"
    fi
    row "$name" "$run"
done
