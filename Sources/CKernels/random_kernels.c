// SPDX-License-Identifier: MIT
//
// Counter-based random bits, several blocks at a time.

#include "include/random_kernels.h"
#include "elementary.h"

/// Mixes two words once.
#define SS_MIX(distance) \
  x0 += x1;              \
  x1 = (x1 << (distance)) | (x1 >> (64 - (distance))); \
  x1 ^= x0;

/// Mixes two words four times, and adds a part of the key.
#define SS_FOUR(a, b, c, d, first, second) \
  SS_MIX(a)                                \
  SS_MIX(b)                                \
  SS_MIX(c)                                \
  SS_MIX(d)                                \
  x0 += (first);                           \
  x1 += (second);

/// A word of each of eight blocks.
typedef uint64_t ss_eight __attribute__((vector_size(64)));

SS_WIDE_CLONES void ss_threefry(
    uint64_t key0, uint64_t key1, uint64_t first, uint64_t purpose, uint64_t *words, long blocks) {
  // The constants are those of the one block in RandomKey.swift, which is the reference.
  uint64_t key2 = UINT64_C(0x1bd11bdaa9fc1a22) ^ key0 ^ key1;
  ss_eight places = {0, 1, 2, 3, 4, 5, 6, 7}, none = {0};
  // Eight blocks even where fewer are wanted: a trajectory of few coordinates wants four or five.
  for (long i = 0; i < blocks; i += 8) {
    ss_eight x0 = places + (first + (uint64_t)i + key0), x1 = none + (purpose + key1);
    SS_FOUR(16, 42, 12, 31, key1, key2 + 1)
    SS_FOUR(16, 32, 24, 21, key2, key0 + 2)
    SS_FOUR(16, 42, 12, 31, key0, key1 + 3)
    SS_FOUR(16, 32, 24, 21, key1, key2 + 4)
    SS_FOUR(16, 42, 12, 31, key2, key0 + 5)
    ss_eight pairs[2] = {
      __builtin_shufflevector(x0, x1, 0, 8, 1, 9, 2, 10, 3, 11),
      __builtin_shufflevector(x0, x1, 4, 12, 5, 13, 6, 14, 7, 15)};
    if (blocks - i >= 8) {
      memcpy(words + 2 * i, pairs, sizeof pairs);
    } else {
      for (long j = 0; j < blocks - i; j++) memcpy(words + 2 * (i + j), (uint64_t *)pairs + 2 * j, 16);
    }
  }
}

long ss_ziggurat(
    const uint64_t *words, const double *widths, double *out, int32_t *outside, long count) {
  long found = 0;
  for (long i = 0; i < count; i++) {
    // 8 bits choose the layer, 54 others the position in ±1.
    uint64_t layer = words[i] & 255;
    double x = (double)((int64_t)words[i] >> 10) * 0x1p-53 * widths[layer];
    out[i] = x;
    outside[found] = (int32_t)i;
    found += !(ss_abs1(x) < widths[layer + 1]);
  }
  return found;
}
