// SPDX-License-Identifier: MIT
//
// Counter-based random bits, several blocks at a time.

#ifndef SERSIC_RANDOM_KERNELS_H
#define SERSIC_RANDOM_KERNELS_H

#include <stdint.h>

/// Writes blocks of Threefry-2x64-20 for the counters (first, purpose), (first + 1, purpose), …, two words each.
void ss_threefry(
    uint64_t key0, uint64_t key1, uint64_t first, uint64_t purpose, uint64_t *words, long blocks);

/// Turns words of random bits into standard normal numbers by a ziggurat of 256 layers, where the first draw from a layer lies in
/// its core; `widths` holds the layers' widths from the lowest up, and 0.
///
/// Returns the number of words that fall outside the core of their layer; their places are written to `outside`, and the numbers
/// drawn to `out`.
long ss_ziggurat(
    const uint64_t *words, const double *widths, double *out, int32_t *outside, long count);

#endif
