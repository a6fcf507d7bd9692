// SPDX-License-Identifier: MIT
//
// Elementary functions over arrays: loops that the compiler turns into vector code.

#include "include/vector_math.h"
#include "elementary.h"

/// The number of elements whose arguments are judged together where a rare case needs the slow way.
enum { SS_BLOCK = 128 };

/// Defines ss_NAME over arrays from ss_NAME1; each element depends on its own argument only, so out == x is allowed.
#define SS_MAP(NAME)                                          \
  SS_CLONES void ss_##NAME(const double *x, double *out, long n) { \
    _Pragma("clang loop vectorize(assume_safety)")            \
    for (long i = 0; i < n; i++) out[i] = ss_##NAME##1(x[i]); \
  }

SS_MAP(exp)
SS_MAP(expm1)
SS_MAP(log)
SS_MAP(log1p)
SS_MAP(sigmoid)
SS_MAP(softplus)
SS_MAP(tanh)

SS_CLONES void ss_sqrt(const double *x, double *out, long n) {
  _Pragma("clang loop vectorize(assume_safety)")
  for (long i = 0; i < n; i++) out[i] = __builtin_elementwise_sqrt(x[i]);
}

/// Beyond this the three-part reduction by π/2 loses digits: k must keep to 20 bits for k · (33 bits) to be exact.
static const double SS_TRIG_LIMIT = 1e6;

/// sin(x + quarter · π/2) for |x| ≤ SS_TRIG_LIMIT.
///
/// r = x - k π/2 by three parts; the last is added to r as a correction to first order, for arguments near a zero.
SS_INLINE double ss_sin_shifted1(double x, uint64_t quarter) {
  double t = x * 0x1.45f306dc9c883p-1 + SS_ROUNDER;
  double k = t - SS_ROUNDER;
  uint64_t quadrant = ss_bits(t) + quarter;
  double a = x - k * 0x1.921fb54400000p+0;
  double w = k * 0x1.0b4611a600000p-34;
  double b = a - w;
  double rest = ((a - b) - w) - k * 0x1.3198a2e037073p-69;
  double r = b + rest, low = (b - r) + rest, z = r * r;
  double s = -0x1.5555555555555p-3 + z * (0x1.1111111110babp-7 + z * (-0x1.a01a019e820aep-13
      + z * (0x1.71de37946ed6dp-19 + z * (-0x1.ae6008d114485p-26 + z * 0x1.5e0a4fc16be59p-33))));
  double c = 0x1.5555555555555p-5 + z * (-0x1.6c16c16c16963p-10 + z * (0x1.a01a019f4ddfdp-16
      + z * (-0x1.27e4fa16cc2d1p-22 + z * (0x1.1eeb67d026ec6p-29 + z * -0x1.907cd8ff5ede7p-37))));
  double sine = r + (r * z * s + low * (1.0 - 0.5 * z));
  double half = 0.5 * z, head = 1.0 - half;
  double cosine = head + (((1.0 - head) - half) + (z * z * c - r * low));
  double value = (quadrant & 1) ? cosine : sine;
  value = ss_from_bits(ss_bits(value) ^ ((quadrant & 2) << 62));
  return quarter == 0 && x == 0.0 ? x : value;
}

/// Defines ss_NAME for sine or cosine; a block with a huge argument, an infinity or a NaN goes to the system's function.
#define SS_TRIG(NAME, QUARTER)                                                        \
  SS_CLONES void ss_##NAME(const double *x, double *out, long n) {                    \
    for (long start = 0; start < n; start += SS_BLOCK) {                              \
      long end = start + SS_BLOCK < n ? start + SS_BLOCK : n;                         \
      long rare = 0;                                                                  \
      for (long i = start; i < end; i++) rare += !(ss_abs1(x[i]) <= SS_TRIG_LIMIT);   \
      if (rare) {                                                                     \
        for (long i = start; i < end; i++) out[i] = NAME(x[i]);                       \
        continue;                                                                     \
      }                                                                               \
      _Pragma("clang loop vectorize(assume_safety)")                                  \
      for (long i = start; i < end; i++) out[i] = ss_sin_shifted1(x[i], QUARTER);     \
    }                                                                                 \
  }

SS_TRIG(sin, 0)
SS_TRIG(cos, 1)

/// x^y for positive normal x and finite y.
///
/// log x is needed to 2^-64 relative, since the result's relative error is |y log x| ≤ 709 times that. So
/// 2s + (2/3) s³ are sums of two doubles, and only s⁵ (2/5 + …), below 2^-12 of the whole, is a plain double.
SS_INLINE double ss_pow1(double x, double y) {
  double k, f;
  ss_split(x, &k, &f);
  double d = 2.0 + f, dLow = f - (d - 2.0);
  double s = f / d;
  double sLow = (__builtin_fma(-s, d, f) - s * dLow) / d;
  double z = s * s, zLow = __builtin_fma(s, s, -z) + 2.0 * s * sLow;
  double p = 0x1.999999999999ap-2 + z * (0x1.2492492492522p-2 + z * (0x1.c71c71c6ea5acp-3
      + z * (0x1.745d177ad436ap-3 + z * (0x1.3b1395b82701ep-3 + z * (0x1.1118cd67251c5p-3
      + z * (0x1.df7ba1f4809c3p-4 + z * 0x1.e03a7acf07f85p-4))))));
  // q = 2/3 + z p, then log(1 + f) = 2 s + s z q.
  double q = 0x1.5555555555555p-1 + z * p;
  double qLow = (0x1.5555555555555p-1 - q) + z * p + (0x1.5555555555555p-55 + zLow * p);
  double c = s * z, cLow = __builtin_fma(s, z, -c) + (s * zLow + sLow * z);
  double t = c * q, tLow = __builtin_fma(c, q, -t) + (c * qLow + cLow * q);
  double a = 2.0 * s + t, aLow = (2.0 * s - a) + t + (2.0 * sLow + tLow);
  double h = k * 0x1.62e42fefa0000p-1;
  double l = h + a, lBack = l - h;
  double lLow = ((h - (l - lBack)) + (a - lBack)) + (k * 0x1.cf79abc9e3b3ap-40 + aLow);
  double product = y * l;
  double low = __builtin_fma(y, l, -product) + y * lLow;
  // Where the power over- or underflows the correction means nothing, and may be NaN.
  low = ss_abs1(product) < 800.0 ? low : 0.0;
  double sum = product + low;
  return ss_exp2parts(sum, (product - sum) + low);
}

/// Whether a power needs the system's function: x not positive and normal, or y not finite or enormous.
SS_INLINE long ss_pow_is_rare(double x, double y) {
  return !(x >= 0x1p-1022 && x < INFINITY && ss_abs1(y) < 0x1p500);
}

SS_CLONES void ss_pow(const double *x, const double *y, double *out, long n) {
  for (long start = 0; start < n; start += SS_BLOCK) {
    long end = start + SS_BLOCK < n ? start + SS_BLOCK : n;
    long rare = 0;
    for (long i = start; i < end; i++) rare += ss_pow_is_rare(x[i], y[i]);
    if (rare) {
      for (long i = start; i < end; i++) out[i] = pow(x[i], y[i]);
      continue;
    }
    _Pragma("clang loop vectorize(assume_safety)")
    for (long i = start; i < end; i++) out[i] = ss_pow1(x[i], y[i]);
  }
}

SS_CLONES void ss_pow_scalar(const double *x, double y, double *out, long n) {
  for (long start = 0; start < n; start += SS_BLOCK) {
    long end = start + SS_BLOCK < n ? start + SS_BLOCK : n;
    long rare = 0;
    for (long i = start; i < end; i++) rare += ss_pow_is_rare(x[i], y);
    if (rare) {
      for (long i = start; i < end; i++) out[i] = pow(x[i], y);
      continue;
    }
    _Pragma("clang loop vectorize(assume_safety)")
    for (long i = start; i < end; i++) out[i] = ss_pow1(x[i], y);
  }
}
