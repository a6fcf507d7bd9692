#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs the system libraries that the package links, where they are missing; says what to do where it cannot.
set -eu

debian="libfftw3-dev libcfitsio-dev libopenblas-dev libcairo2-dev libsep-dev wcslib-dev pkg-config fonts-dejavu-core"
homebrew="fftw cfitsio openblas cairo wcslib pkg-config"
swift="${SWIFT:-swift}"

# Prints a message and ends the script.
fail() {
  printf 'make deps: %s\n' "$@" >&2
  exit 1
}

if ! command -v "$swift" >/dev/null 2>&1; then
  fail "expected a Swift toolchain, 6.2 or newer; found no \"$swift\"." \
    "Install one as https://www.swift.org/install says, and put its bin folder on PATH."
fi

# Installs the Debian packages that dpkg does not know as installed.
install_debian() {
  local missing="" package
  for package in $debian; do
    # pkgconf is Debian's newer name of pkg-config, and either provides the command.
    if [ "$package" = pkg-config ] && command -v pkg-config >/dev/null 2>&1; then continue; fi
    if ! dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
      missing="$missing $package"
    fi
  done
  [ -n "$missing" ] || return 0
  local run=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || fail "these packages are missing:$missing" \
      "Installing them needs root, and there is no sudo. As root: apt-get install -y$missing"
    run=sudo
  fi
  echo "make deps: installing$missing"
  if ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then $run apt-get update; fi
  # Lists may be older than the archive: refresh them once before giving up.
  # shellcheck disable=SC2086
  $run env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing ||
    { $run apt-get update &&
      $run env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } ||
    fail "apt-get could not install:$missing" "See its message above."
}

# Installs the Homebrew formulas that are missing.
install_homebrew() {
  command -v brew >/dev/null 2>&1 || fail "expected Homebrew, found none." \
    "Install it (https://brew.sh), or the libraries by other means: $homebrew"
  local formula
  for formula in $homebrew; do
    brew list --versions "$formula" >/dev/null 2>&1 || brew install "$formula"
  done
  if ! pkg-config --exists openblas; then
    fail "Homebrew keeps openblas apart from the system's BLAS. Run this first, then make again:" \
      "export PKG_CONFIG_PATH=\"$(brew --prefix openblas)/lib/pkgconfig:\${PKG_CONFIG_PATH:-}\""
  fi
}

case "$(uname -s)" in
  Darwin) install_homebrew ;;
  *)
    if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
      install_debian
    else
      missing=""
      for library in fftw3 cfitsio openblas cairo wcslib; do
        pkg-config --exists "$library" 2>/dev/null || missing="$missing $library"
      done
      # SEP has no pkg-config file: its header tells.
      [ -e /usr/include/sep.h ] || [ -e /usr/local/include/sep.h ] || missing="$missing sep"
      [ -z "$missing" ] || fail "expected these libraries by pkg-config, found none of:$missing" \
        "Install their development packages with your system's package manager, then make again."
    fi
    ;;
esac
