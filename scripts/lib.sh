# What the scripts share. Sourced, not run: sets the shell's options, goes to the repository's root, and makes Ctrl-C
# and TERM reach the one program that a script is waiting for, so that it can clean up behind itself.
# shellcheck shell=bash disable=SC2034

set -euo pipefail
script=$(realpath "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=$(nproc)
python=/usr/bin/python3

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' red='' green='' plain=''
fi

say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
die() { printf '%s%s: %s%s\n' "$red" "$(basename "$script")" "$*" "$plain" >&2; exit 1; }

# The comment at a script's top is its usage text.
usage() {
  local status=${1:-0}
  sed -n '2,/^$/ s/^# \{0,1\}//p' "$script"
  exit "$status"
}

need_root() { [ "$(id -u)" = 0 ] || die "needs root ($1). Run: sudo scripts/$(basename "$script")"; }

# --- the one child that runs now --------------------------------------------------------------------------------

child=
on_signal() {
  trap '' INT TERM HUP
  if [ -n "$child" ]; then
    kill -TERM -- "-$child" 2>/dev/null || true
    wait "$child" || true
  fi
  printf '\n%sstopped%s\n' "$red" "$plain" >&2
  exit "$1"
}
trap 'on_signal 130' INT
trap 'on_signal 143' TERM HUP

# watched COMMAND...: runs it and returns its status. A signal to the script ends it, and what it started, too: job
# control (set -m) gives it a process group of its own.
watched() {
  local status=0
  set -m
  "$@" </dev/null &
  child=$!
  set +m
  wait "$child" || status=$?
  child=
  return "$status"
}

# --- builds -------------------------------------------------------------------------------------------------------

# configure DIR [meson options]: once; later runs find it done.
configure() {
  local dir=$1
  shift
  [ -f "$dir/build.ninja" ] || watched meson setup "$dir" "$@"
}

# build_targets DIR [targets]: all of them if none is named.
build_targets() {
  local dir=$1
  shift
  watched ninja -C "$dir" -j "$jobs" "$@"
}

# clang 16 has what libstdc++ 12 wants for std::expected, but says so only from 19 on.
clang_arguments='-U__cpp_concepts -D__cpp_concepts=202002L -Wno-builtin-macro-redefined'
