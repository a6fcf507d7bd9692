// SPDX-License-Identifier: MIT
//
// Image likelihoods on raw buffers. Priorities: 1 no overflow and no false finite value; 2 speed; 3 the last bits.

#include "likelihood_kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

// Independent partial sums: enough to hide the latency of an addition in two or four vector registers.
enum { LANES = 16 };

/// Returns the sum of the lanes in a fixed order.
static inline __attribute__((always_inline)) double total(const double *lanes) {
  double sum = 0;
  for (int k = 0; k < LANES; ++k) sum += lanes[k];
  return sum;
}

CLONES double sersic_gaussian_image(
    long count, const double *restrict model, const double *restrict data,
    const double *restrict weight, double *restrict gradient) {
  double sums[LANES] = {0};
  long i = 0;
  for (; i + LANES <= count; i += LANES) {
    for (int k = 0; k < LANES; ++k) {
      const double d = model[i + k] - data[i + k];
      const double g = -weight[i + k] * d;
      gradient[i + k] = g;
      sums[k] -= g * d;
    }
  }
  for (int k = 0; i < count; ++i, ++k) {
    const double d = model[i] - data[i];
    const double g = -weight[i] * d;
    gradient[i] = g;
    sums[k] -= g * d;
  }
  return total(sums);
}

// A running product 1 <= m < 2 times 2^e: m in a double, e in an integer lane. Multiplying by a factor >= 1 that is at
// most 2^1023 cannot overflow; an infinite or NaN factor is caught by `poison`, which turns into NaN.

/// Multiplies a lane's product by a factor >= 1 and moves the exponent to the integer.
static inline __attribute__((always_inline)) void accumulate(
    double factor, double *product, int64_t *exponent) {
  const double p = *product * factor;
  uint64_t bits;
  memcpy(&bits, &p, sizeof bits);
  *exponent += (int64_t)(bits >> 52) - 1023;
  bits = (bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u;
  memcpy(product, &bits, sizeof bits);
}

CLONES double sersic_student_image(
    long count, const double *restrict model, const double *restrict data,
    const double *restrict weight, double slope, double *restrict gradient) {
  double products[LANES], poison[LANES] = {0};
  int64_t exponents[LANES] = {0};
  for (int k = 0; k < LANES; ++k) products[k] = 1;
  long i = 0;
  for (; i + LANES <= count; i += LANES) {
    for (int k = 0; k < LANES; ++k) {
      const double d = model[i + k] - data[i + k];
      const double w = weight[i + k] * d;
      const double u = w * d;
      poison[k] += u * 0;
      const double factor = 1 + u;
      gradient[i + k] = -slope * w / factor;
      accumulate(factor, &products[k], &exponents[k]);
    }
  }
  for (int k = 0; i < count; ++i, ++k) {
    const double d = model[i] - data[i];
    const double w = weight[i] * d;
    const double u = w * d;
    poison[k] += u * 0;
    const double factor = 1 + u;
    gradient[i] = -slope * w / factor;
    accumulate(factor, &products[k], &exponents[k]);
  }
  // Sixteen mantissas below 2 multiply to less than 2^16: one logarithm for all.
  double product = 1;
  int64_t exponent = 0;
  for (int k = 0; k < LANES; ++k) {
    product *= products[k];
    exponent += exponents[k];
  }
  return log(product) + (double)exponent * 0.693147180559945309417232121458 + total(poison);
}

CLONES void sersic_student_curvature(
    long count, const double *restrict model, const double *restrict data,
    const double *restrict weight, double factor, const double *restrict direction,
    double *restrict out) {
  for (long i = 0; i < count; ++i) {
    const double d = model[i] - data[i];
    const double u = weight[i] * d * d;
    const double r = 1 / (1 + u);
    out[i] -= factor * weight[i] * direction[i] * ((1 - u) * r * r);
  }
}

CLONES void sersic_student_reweighted(
    long count, const double *restrict model, const double *restrict data,
    const double *restrict weight, double factor, const double *restrict direction,
    double *restrict out) {
  for (long i = 0; i < count; ++i) {
    const double d = model[i] - data[i];
    out[i] -= factor * weight[i] * direction[i] / (1 + weight[i] * d * d);
  }
}

CLONES void sersic_add_product(
    long count, double factor, const double *restrict a, const double *restrict b,
    double *restrict out) {
  for (long i = 0; i < count; ++i) out[i] += factor * a[i] * b[i];
}

CLONES void sersic_add_scaled(long count, double factor, const double *restrict a, double *restrict out) {
  for (long i = 0; i < count; ++i) out[i] += factor * a[i];
}

CLONES double sersic_dot(long count, const double *restrict a, const double *restrict b) {
  double sums[LANES] = {0};
  long i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int k = 0; k < LANES; ++k) sums[k] += a[i + k] * b[i + k];
  for (int k = 0; i < count; ++i, ++k) sums[k] += a[i] * b[i];
  return total(sums);
}
