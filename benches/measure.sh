#!/usr/bin/env bash
# Prints benches/MEASURED.md: the error of the libraries in use over every float, by `mathsmith measure`.
#
#   benches/measure.sh [directory for the records] > benches/MEASURED.md
#
# For each function glibc's is measured alone, for the time, and then beside everything else that is installed. A subject that
# is not installed is named; other widths and the libm crate are left out for the time they take: a quarter of an hour as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=target/release/mathsmith
records="${1:-$(mktemp -d)}"
mkdir -p "$records"
[ -x "$bin" ] || { echo "no $bin: run 'make build' first" >&2; exit 2; }

cat <<EOF
# The error of the functions in use, over every float

| | |
| --- | --- |
| machine | $(lscpu | sed -n 's/^Model name: *//p' | head -1), $(nproc) cores, $(uname -m) |
| system | $(. /etc/os-release && echo "$PRETTY_NAME"), $(ldd --version | head -1 | sed 's/^ldd //') |
| date | $(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD), made with \`benches/measure.sh\` |

Each figure is of all 4 278 190 079 finite inputs (\`exhaustive\`); zeros, infinities and NaN are looked at beside them. Time is
wall time of \`mathsmith measure libm:NAME --ref EXPR\` on all cores, the child process that runs the function included.
EOF
for name in exp exp2 log log2 sin cos tanh erf; do
    f="${name}f"
    subjects=("libm:$f" "core-math:$f")
    missing=()
    for more in "libmvec:$f@avx2" "libmvec:$f@avx512" "sleef:${f}_u10@avx2" "sleef:${f}_u35@avx2"; do
        # A domain of one input tells whether the subject is there.
        if "$bin" measure "$more" --ref "$name(x)" --on 1..1 --quiet > /dev/null 2>&1; then subjects+=("$more"); else missing+=("$more"); fi
    done
    # shellcheck disable=SC2016
    time=$({ /usr/bin/env time -f '%e s, %M KiB at most in one process' "$bin" measure "libm:$f" --ref "$name(x)" --quiet > /dev/null; } 2>&1 | tail -1)
    "$bin" measure "${subjects[@]}" --ref "$name(x)" --quiet --out "$records/$name" > "$records/$name.txt" || true
    echo
    echo "## $name"
    echo
    echo "\`libm:$f\` alone: $time.${missing[*]:+ Not there: ${missing[*]}.}"
    echo
    echo '```'
    # The comparison stands between the head and the first subject's own part.
    sed -n '/^ *not correctly/,/^$/p' "$records/$name.txt" | sed '/^$/,$d'
    echo '```'
done
