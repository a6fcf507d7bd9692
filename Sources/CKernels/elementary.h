// SPDX-License-Identifier: MIT
//
// Branch-free elementary functions of one number, written so that a loop over them becomes vector code.
//
// Goals, in order: 1 right at the edges (infinities, NaN, subnormals); 2 at most 2 ulp; 3 speed, without vector types.
// Coefficients come from Tests/NumericsTests/Golden/vector_math_coefficients.py. Conditionals are selections, and
// integers stay inside the bits of doubles, since AVX2 converts neither way between doubles and 64-bit integers.

#ifndef SS_ELEMENTARY_H
#define SS_ELEMENTARY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/// A helper that is inlined into every clone of the function that uses it.
#define SS_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__) && defined(__linux__)
/// Compiles a function twice, and picks the AVX2 and FMA form where the processor has them.
#define SS_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
/// Compiles a function three times, also for AVX-512: for integers, whose rotations are one instruction there.
#define SS_WIDE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
/// Elsewhere one form is enough.
#define SS_CLONES
#define SS_WIDE_CLONES
#endif

/// Adding and subtracting 1.5 · 2^52 rounds to the nearest integer, and leaves it in the low bits of the sum.
#define SS_ROUNDER 0x1.8p52

/// The bits of a double.
SS_INLINE uint64_t ss_bits(double x) {
  uint64_t u;
  memcpy(&u, &x, 8);
  return u;
}

/// The double with the given bits.
SS_INLINE double ss_from_bits(uint64_t u) {
  double x;
  memcpy(&x, &u, 8);
  return x;
}

/// The absolute value.
SS_INLINE double ss_abs1(double x) { return ss_from_bits(ss_bits(x) & 0x7fffffffffffffffu); }

/// The magnitude of x with the sign of s.
SS_INLINE double ss_copysign1(double x, double s) {
  return ss_from_bits((ss_bits(x) & 0x7fffffffffffffffu) | (ss_bits(s) & 0x8000000000000000u));
}

/// 2^k for an integral k in -1022 ... 1023.
SS_INLINE double ss_power_of_two(double k) {
  return ss_from_bits((ss_bits(k + SS_ROUNDER) << 52) + 0x3ff0000000000000u);
}

/// (e^r - 1 - r) / r² for |r| ≤ ½ ln 2, absolute error 1.5e-18.
SS_INLINE double ss_exp_tail(double r) {
  double r2 = r * r, r4 = r2 * r2;
  double a = 0x1.0p-1 + r * 0x1.5555555555557p-3;
  double b = 0x1.5555555555552p-5 + r * 0x1.111111111009cp-7;
  double c = 0x1.6c16c16c179cfp-10 + r * 0x1.a01a01ac0a9eep-13;
  double d = 0x1.a01a01a0134a7p-16 + r * 0x1.71de01c3fc936p-19;
  double e = 0x1.27e4e957f4ec2p-22 + r * 0x1.af4ecd2129492p-26;
  return (a + r2 * b) + r4 * ((c + r2 * d) + r4 * (e + r2 * 0x1.1f5e1e2d4829cp-29));
}

/// e^(x + low), where |low| < 1e-12; 0.6 ulp.
///
/// low enters as low · e^r, with e^r to third order, which is good to 6e-4 of low.
/// The scale 2^k is applied as two factors, so that subnormal results are rounded once.
SS_INLINE double ss_exp2parts(double x, double low) {
  double y = x > 710.0 ? 710.0 : x;
  y = y < -746.0 ? -746.0 : y;
  double k = y * 0x1.71547652b82fep+0 + SS_ROUNDER;
  k = k - SS_ROUNDER;
  double r = (y - k * 0x1.62e42fefa0000p-1) - k * 0x1.cf79abc9e3b3ap-40;
  double shift = low * (1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6))));
  double p = 1.0 + (r + (shift + r * r * ss_exp_tail(r)));
  double half = k * 0.5 + SS_ROUNDER;
  half = half - SS_ROUNDER;
  return p * ss_power_of_two(half) * ss_power_of_two(k - half);
}

/// e^x.
SS_INLINE double ss_exp1(double x) { return ss_exp2parts(x, 0.0); }

/// e^x - 1.
///
/// 2^k (e^r - 1) + (2^k - 1), with the rounding error of the reduction carried along; one factor 2^h is kept back
/// against overflow.
SS_INLINE double ss_expm11(double x) {
  double y = x > 710.0 ? 710.0 : x;
  y = y < -746.0 ? -746.0 : y;
  double k = y * 0x1.71547652b82fep+0 + SS_ROUNDER;
  k = k - SS_ROUNDER;
  double high = y - k * 0x1.62e42fefa0000p-1, low = k * 0x1.cf79abc9e3b3ap-40;
  double r = high - low, rest = (high - r) - low;
  double m = r + (rest + (r * r * ss_exp_tail(r) + r * rest));
  double half = k * 0.5 + SS_ROUNDER;
  half = half - SS_ROUNDER;
  double outer = ss_power_of_two(half), inner = ss_power_of_two(k - half);
  double result = (m * inner + (inner - ss_power_of_two(-half))) * outer;
  return x == 0.0 ? x : result;
}

/// x = 2^k (1 + f) with 1 + f in √½ ... √2, for positive normal x.
SS_INLINE void ss_split(double x, double *k, double *f) {
  uint64_t u = ss_bits(x) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  *k = ss_from_bits((u >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
  *f = ss_from_bits((u & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
}

/// k ln 2 + log(1 + f) + c for 1 + f in √½ ... √2 and tiny c: log(1 + f) = f - (f²/2 - s (f²/2 + R(s²))), s = f / (2 + f).
SS_INLINE double ss_log_sum(double k, double f, double c) {
  double s = f / (2.0 + f), z = s * s, w = z * z;
  double even = 0x1.5555555555558p-1 + w * (0x1.2492492dfd86cp-2 + w * (0x1.7462b91b8df65p-3 + w * 0x1.2b5f68a50d903p-3));
  double odd = 0x1.9999999995273p-2 + w * (0x1.c71c62d5e53e0p-3 + w * 0x1.39fdcceb4bb45p-3);
  double tail = z * (even + z * odd), square = 0.5 * f * f;
  return k * 0x1.62e42fefa0000p-1 - ((square - (s * (square + tail) + (k * 0x1.cf79abc9e3b3ap-40 + c))) - f);
}

/// log x, 1 ulp.
SS_INLINE double ss_log1(double x) {
  int small = x < 0x1p-1022;
  double k, f;
  ss_split(small ? x * 0x1p54 : x, &k, &f);
  double result = ss_log_sum(small ? k - 54.0 : k, f, 0.0);
  result = x < INFINITY ? result : x;
  result = x > 0.0 ? result : (x == 0.0 ? -INFINITY : NAN);
  return result;
}

/// log(1 + x), 1 ulp; the rounding error of u = 1 + x comes back as (error) / u.
SS_INLINE double ss_log1p1(double x) {
  double u = 1.0 + x, k, f;
  ss_split(u, &k, &f);
  double error = k >= 2.0 ? 1.0 - (u - x) : x - (u - 1.0);
  double result = ss_log_sum(k, k == 0.0 ? x : f, k == 0.0 ? 0.0 : error / u);
  result = x < INFINITY ? result : x;
  result = u > 0.0 ? result : (x == -1.0 ? -INFINITY : NAN);
  return x == 0.0 ? x : result;
}

/// 1 / (1 + e^-x), without overflow and with relative accuracy in both tails.
SS_INLINE double ss_sigmoid1(double x) {
  double e = ss_exp1(-ss_abs1(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/// log(1 + e^x) = max(x, 0) + log1p(e^-|x|).
SS_INLINE double ss_softplus1(double x) {
  return (x > 0.0 ? x : 0.0) + ss_log1p1(ss_exp1(-ss_abs1(x)));
}

/// tanh x = m / (m + 2), m = e^(2|x|) - 1; it is 1 in double precision beyond 20.
SS_INLINE double ss_tanh1(double x) {
  double a = ss_abs1(x);
  double m = ss_expm11(2.0 * (a > 20.0 ? 20.0 : a));
  return ss_copysign1(m / (m + 2.0), x);
}

#endif
