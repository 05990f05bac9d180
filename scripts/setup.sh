#!/usr/bin/env bash
# Installs what the build needs beyond git, make and Rust, where it is missing:
#   m4, a C compiler, make   GMP and MPFR are built from the sources that the rug crate bundles
#   clang                    tests compile the emitted C with two compilers
# Only apt-get is driven; elsewhere a message names the packages and nothing is changed.
set -euo pipefail

missing=()
command -v m4 >/dev/null || missing+=(m4)
command -v gcc >/dev/null || missing+=(gcc)
command -v clang >/dev/null || missing+=(clang)
command -v make >/dev/null || missing+=(make)
# A compiler without the C library's headers builds nothing.
if command -v gcc >/dev/null && ! echo '#include <math.h>' | gcc -E -x c - >/dev/null 2>&1; then
  missing+=(libc6-dev)
fi

if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get >/dev/null; then
    run=()
    if [ "$(id -u)" -ne 0 ]; then
      if ! command -v sudo >/dev/null; then
        echo "setup: missing: ${missing[*]}; as root run: apt-get install ${missing[*]} libc6-dev" >&2
        exit 2
      fi
      run=(sudo)
    fi
    echo "setup: installing ${missing[*]}" >&2
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${missing[@]}" libc6-dev >/dev/null
  else
    echo "setup: missing: ${missing[*]}; install them with your system's package manager and run again" >&2
    exit 2
  fi
fi

if ! command -v cargo >/dev/null; then
  echo "setup: cargo not found; install Rust 1.95 with rustup and run again" >&2
  exit 2
fi
