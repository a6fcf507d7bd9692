// SPDX-License-Identifier: MIT
//
// Look-ups in a slice of a radial table, one or four at a time: for the loops of the Fourier renderer.

#ifndef SERSIC_SLICE_LOOKUP_H
#define SERSIC_SLICE_LOOKUP_H

#include <stdint.h>
#include <string.h>

#include "render_kernels.h"

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

/// The place of a number in a slice: its interval, the fraction t of it, the inverse of the interval's length.
typedef struct {
  const double *c;
  double t, inverse;
} place;

/// Returns where v lies, from its bits.
INLINE place find(const sersic_slice *slice, double v) {
  uint64_t bits;
  v = v < slice->largest ? v : slice->largest;
  memcpy(&bits, &v, sizeof bits);
  const uint64_t fraction = ((bits & 0x0000FFFFFFFFFFFFu) << 4) | 0x3FF0000000000000u;
  // 2^(4 - e) has the exponent field 2046 + 4 - E.
  const uint64_t inverse = (2050ull << 52) - (bits & 0x7FF0000000000000u);
  place p;
  memcpy(&p.t, &fraction, sizeof fraction);
  memcpy(&p.inverse, &inverse, sizeof inverse);
  p.t -= 1;
  p.c = slice->coefficients + 8 * ((long)(bits >> 48) - slice->first);
  return p;
}

typedef double four __attribute__((vector_size(32), aligned(8)));
typedef uint64_t four_bits __attribute__((vector_size(32)));

/// The cubics of four places: coefficients of the function and of its derivative by n, transposed; t; inverse lengths.
typedef struct {
  four c0, c1, c2, c3, d0, d1, d2, d3, t, inverse;
} four_places;

/// Sets rows a, b, c, d to their transposed columns.
INLINE void transpose(four *a, four *b, four *c, four *d) {
  const four ab_low = __builtin_shufflevector(*a, *b, 0, 4, 2, 6);
  const four ab_high = __builtin_shufflevector(*a, *b, 1, 5, 3, 7);
  const four cd_low = __builtin_shufflevector(*c, *d, 0, 4, 2, 6);
  const four cd_high = __builtin_shufflevector(*c, *d, 1, 5, 3, 7);
  *a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  *b = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  *c = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  *d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/// Finds four places at once.
INLINE void find_four(const sersic_slice *slice, const four *v, four_places *p) {
  const four largest = {slice->largest, slice->largest, slice->largest, slice->largest};
  const four at = __builtin_elementwise_min(*v, largest);
  four_bits bits;
  memcpy(&bits, &at, sizeof bits);
  const four_bits fraction = ((bits & 0x0000FFFFFFFFFFFFu) << 4) | 0x3FF0000000000000u;
  const four_bits inverse = (2050ull << 52) - (bits & 0x7FF0000000000000u);
  memcpy(&p->t, &fraction, sizeof fraction);
  memcpy(&p->inverse, &inverse, sizeof inverse);
  p->t -= 1;
  const four_bits index = bits >> 48;
  const double *base = slice->coefficients - 8 * slice->first;
  const double *q0 = base + 8 * index[0];
  const double *q1 = base + 8 * index[1];
  const double *q2 = base + 8 * index[2];
  const double *q3 = base + 8 * index[3];
  memcpy(&p->c0, q0, 32);
  memcpy(&p->c1, q1, 32);
  memcpy(&p->c2, q2, 32);
  memcpy(&p->c3, q3, 32);
  transpose(&p->c0, &p->c1, &p->c2, &p->c3);
  memcpy(&p->d0, q0 + 4, 32);
  memcpy(&p->d1, q1 + 4, 32);
  memcpy(&p->d2, q2 + 4, 32);
  memcpy(&p->d3, q3 + 4, 32);
  transpose(&p->d0, &p->d1, &p->d2, &p->d3);
}

#endif
