#!/usr/bin/env bash
# Benches the runs of benches/whole-table.sh, each beside every peer that is found, and prints the tables of speed.
#
#   benches/whole-bench.sh FOLDER-OF-RUNS > benches/WHOLE-SPEED.md
#
# A run is a folder with a front.json; its name ends in the bound of its question: NAME-u10 or NAME-u20 is compared with the
# fastest peer of at most 1.1 ULP, NAME-u40 with the fastest of at most 4. The record of a run's bench is bench-mix.json in it, what
# was printed bench-mix.txt; a run with a record is not benched again. Errors of peers are measured at every input, once for both
# runs of a function, and kept in peer-errors.json. Everything is timed twice: on the mix of inputs that `mathsmith bench`
# draws by default, and on small ones (bench-small.json), where the peers' fast paths are. BIN is the binary
# (target/release/mathsmith), FLAGS are flags of `mathsmith bench` for all of them, such as --quick or --rounds.
set -euo pipefail
cd "$(dirname "$0")/.."
bin="${BIN:-target/release/mathsmith}"
[ $# -eq 1 ] || { echo "usage: $0 FOLDER-OF-RUNS" >&2; exit 2; }
runs="$1"
[ -x "$bin" ] || { echo "no $bin: run 'make build' first" >&2; exit 2; }

# Whether some entry of a run keeps the bound of its question.
meets() {
    python3 -c 'import json, sys; sys.exit(not any(e["meets_bound"] for e in json.load(open(sys.argv[1]))["front"]))' "$1"
}

careful=() rough=() failed=()
for front in "$runs"/*/front.json; do
    run="$(dirname "$front")"
    name="$(basename "$run")"
    case "$name" in
        *-u10 | *-u20) bound=1.1 ;;
        *-u40) bound=4 ;;
        *) echo "$name: its name does not end in -u10, -u20 or -u40" >&2; continue ;;
    esac
    if ! meets "$front"; then
        failed+=("$name (misses its bound)")
        continue
    fi
    for inputs in mix small; do
        record="$run/bench-$inputs.json"
        [ ! -e "$record" ] || continue
        echo "$name, $inputs" >&2
        # shellcheck disable=SC2086
        if ! "$bin" bench "$run" --at-most "$bound" --inputs "$inputs" --cache "$runs/peer-errors.json" --out "$record" \
            --quiet ${FLAGS:-} > "$run/bench-$inputs.txt"; then
            failed+=("$name")
            continue 2
        fi
    done
    if [ "$bound" = 4 ]; then rough+=("$run"); else careful+=("$run"); fi
done

cat <<HEAD
# Whole functions: how fast they are

| | |
| --- | --- |
| machine | $(lscpu | sed -n 's/^Model name: *//p' | head -1), $(nproc) cores |
| system | $(. /etc/os-release && echo "$PRETTY_NAME"), $(ldd --version | head -1 | sed 's/^ldd //') |
| compilers | $(for c in clang gcc rustc; do command -v "$c" > /dev/null && "$c" --version | head -1; done | paste -sd ';' | sed 's/;/; /g') |
| date | $(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD), made with \`${FLAGS:+FLAGS=\"$FLAGS\" }benches/whole-bench.sh\` |

Nanoseconds an element of an array in the first cache, the loop included; ours is the cheapest entry that meets its bound, emitted
and compiled by clang with -O3 -march=native, by gcc with -fno-math-errno -fno-trapping-math -ffp-contract=off as well (it keeps most loops
scalar without), by rustc with -Copt-level=3 -Ctarget-cpu=native. Times as fast: the median, over all rounds of one process, of the peer's time over ours in the same round. Peers' errors are
of every input unless another word is said in their records; a peer that is wrong in kind somewhere (NaN for a number and the
like) is left out. A function counts if a vector function of that accuracy exists.
HEAD
for compiler in clang 'gcc no-errno' rustc; do
    for level in careful rough; do
        declare -n of="$level"
        [ ${#of[@]} -gt 0 ] || continue
        bound=$([ "$level" = careful ] && echo 1.1 || echo 4)
        for inputs in mix small; do
            words=$([ "$inputs" = small ] && echo "uniform in -8..8" || echo "half uniform in value, half in binades")
            printf '\n## Ours by %s, peers of at most %s ULP, inputs %s\n\n' "$compiler" "$bound" "$words"
            "$bin" dev bench-table "${of[@]/%//bench-$inputs.json}" --at-most "$bound" --compiler "$compiler"
        done
    done
done
if [ ${#failed[@]} -gt 0 ]; then
    printf '\nNot benched:'
    printf ' %s;' "${failed[@]}"
    printf '\n'
fi
