#!/usr/bin/env bash
# Installs what a bench compares with, where it is missing and may be installed: SLEEF, and clang.
#
# A bench itself installs nothing and says what it lacks; so does this script where it may not install.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

missing=()
command -v clang > /dev/null || missing+=(clang)
ldconfig -p 2> /dev/null | grep -q 'libsleef\.so' || missing+=(libsleef-dev)
[ ${#missing[@]} -gt 0 ] || exit 0

without() { echo "bench: $1: ${missing[*]} is missing and the bench goes on without; $2" >&2; exit 0; }
command -v apt-get > /dev/null || without "no apt-get" "install it with your system's package manager"
run=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || without "neither root nor sudo" "as root run: apt-get install ${missing[*]}"
    run=(sudo)
fi
echo "bench: installing ${missing[*]}" >&2
# `env` takes the setting through sudo, which drops the environment.
if ! { "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null; }; then
    without "apt-get failed" "see its message above"
fi
