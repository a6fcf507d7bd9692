// SPDX-License-Identifier: MIT
//
// The error function's family and the gamma function's family, over arrays and for one number.

#define _GNU_SOURCE
#define _REENTRANT
#include "include/vector_math.h"
#include "elementary.h"

/// √½.
static const double SS_SQRT_HALF = 0x1.6a09e667f3bcdp-1;

/// log 2.
static const double SS_LN2 = 0x1.62e42fefa39efp-1;

// MARK: - Error function

/// e^(x²) erfc(x) for x ≥ 0: a polynomial in t = (x - 4) / (x + 4) over 1 + 2x (Shepherd & Laframboise 1981).
SS_INLINE double ss_erfcx_positive1(double x) {
  double t = (x - 4.0) / (x + 4.0), u = t * t;
  double even = 0x1.3ba5916e9fd7fp+0 + u * (0x1.f7f5df66fc17fp-7 + u * (-0x1.9ddb23c3e0c24p-4
      + u * (-0x1.0fb06dfee4790p-4 + u * (-0x1.0962386da3254p-6 + u * (-0x1.8d4aaa8fbedbcp-11
      + u * (0x1.3be12bafabe1fp-13 + u * (-0x1.78a738afaf645p-17 + u * (0x1.400a0021a32f1p-22
      + u * (0x1.31744dd9b56d0p-24 + u * (-0x1.1904891a069b4p-26 + u * 0x1.afe473b552685p-30))))))))));
  double odd = -0x1.1df1ad154a28ep-3 + u * (0x1.16ecefcfa5214p-4 + u * (0x1.7fee004e16d41p-4
      + u * (0x1.3079edf5d9d05p-5 + u * (0x1.49c672b9685cep-8 + u * (-0x1.a1df4a1e543bcp-13
      + u * (-0x1.99551e5f87e20p-16 + u * (0x1.7f01a118598aep-18 + u * (-0x1.b9339da7bf70bp-21
      + u * (0x1.cad9b27d6d663p-24 + u * (-0x1.af097381d257bp-27 + u * 0x1.0967e527911a9p-30))))))))));
  double result = (even + t * odd) / (1.0 + 2.0 * x);
  return x < 0x1p1000 ? result : (x != x ? x : 0x1.20dd750429b6dp-1 / x);
}

/// e^(factor · x²) for 0 ≤ x: the square's rounding error, found from the halves of x, goes into the exponent.
SS_INLINE double ss_exp_square1(double x, double factor) {
  double bounded = x > 60.0 ? 60.0 : x, square = bounded * bounded;
  double head = ss_from_bits(ss_bits(bounded) & 0xfffffffff8000000u), tail = bounded - head;
  double error = ((head * head - square) + 2.0 * head * tail) + tail * tail;
  return ss_exp2parts(factor * square, factor * error);
}

/// erf(x) for |x| ≤ 0.85, absolute error of erf(x) / x 2e-19.
SS_INLINE double ss_erf_small1(double x) {
  double z = x * x;
  double p = 0x1.20dd750429b6dp+0 + z * (-0x1.812746b0379e6p-2 + z * (0x1.ce2f21a042aa4p-4
      + z * (-0x1.b82ce31280af9p-6 + z * (0x1.565bcd0cbcf76p-8 + z * (-0x1.c02db3963408fp-11
      + z * (0x1.f9a31658993bep-14 + z * (-0x1.f4d0a3d978b80p-17 + z * (0x1.b9c84aad92c94p-20
      + z * (-0x1.5e0ceca83a2b8p-23 + z * (0x1.e78ce74511f33p-27 + z * -0x1.e5d4a2f4facb1p-31))))))))));
  return x * p;
}

/// erfc(|x|), relatively accurate where |x| ≥ 0.4.
SS_INLINE double ss_erfc_tail1(double a) { return ss_erfcx_positive1(a) * ss_exp_square1(a, -1.0); }

/// erf(x).
SS_INLINE double ss_erf1(double x) {
  double a = ss_abs1(x);
  double large = ss_copysign1(1.0 - ss_erfc_tail1(a), x);
  return a < 0.85 ? ss_erf_small1(x) : (a > 6.0 ? ss_copysign1(1.0, x) : large);
}

/// 1 - erf(x).
SS_INLINE double ss_erfc1(double x) {
  double a = ss_abs1(x), tail = ss_erfc_tail1(a);
  tail = a > 28.0 ? 0.0 : tail;
  double outer = x < 0.0 ? 2.0 - tail : tail;
  double inner = 1.0 - ss_erf_small1(x);
  return a < 0.45 ? inner : outer;
}

/// e^(x²) erfc(x).
SS_INLINE double ss_erfcx1(double x) {
  double a = ss_abs1(x), positive = ss_erfcx_positive1(a);
  double reflected = 2.0 * ss_exp_square1(a, 1.0) - positive;
  return x < 0.0 ? (x < -27.0 ? INFINITY : reflected) : positive;
}

/// The standard normal distribution function, ½ erfc(-x / √2), with e^(-x²/2) from x itself.
SS_INLINE double ss_normal_cdf1(double x) {
  double y = x * SS_SQRT_HALF, a = ss_abs1(y);
  double tail = 0.5 * ss_erfcx_positive1(a) * ss_exp_square1(ss_abs1(x), -0.5);
  double outer = x > 0.0 ? 1.0 - tail : tail;
  double inner = 0.5 + 0.5 * ss_erf_small1(y);
  return a < 0.45 ? inner : outer;
}

/// log of the standard normal distribution function, relatively accurate on the whole line.
SS_INLINE double ss_normal_log_cdf1(double x) {
  double y = x * SS_SQRT_HALF;
  double scaled = ss_erfcx_positive1(ss_abs1(y));
  double below = ss_log1(0.5 * scaled) - 0.5 * x * x;
  double tail = 0.5 * scaled * ss_exp_square1(ss_abs1(x), -0.5);
  double above = ss_log1p1(-tail);
  double result = x < -0.6 ? below : above;
  // Between -0.6 and 0.6: log(½ + ½ erf) = log1p(erf) - log 2, with no cancellation since erf > -0.46.
  double middle = ss_log1p1(ss_erf_small1(y)) - SS_LN2;
  result = ss_abs1(x) < 0.6 ? middle : result;
  return x == INFINITY ? 0.0 : (x == -INFINITY ? -INFINITY : result);
}

/// The ratio φ(x) / Φ(x) of the standard normal: the derivative of its log distribution function.
SS_INLINE double ss_normal_log_cdf_derivative1(double x) {
  double y = x * SS_SQRT_HALF, a = ss_abs1(y), scaled = ss_erfcx_positive1(a);
  // 2 / √(2π) = √(2/π); for x > 0, φ / (1 - tail).
  double below = 0x1.9884533d43651p-1 / scaled;
  double gauss = ss_exp_square1(ss_abs1(x), -0.5);
  double above = 0x1.9884533d43651p-2 * gauss / (1.0 - 0.5 * scaled * gauss);
  double result = x < 0.0 ? below : above;
  return x == -INFINITY ? INFINITY : result;
}

/// The standard normal quantile: Wichura 1988, algorithm AS 241 (PPND16), with its rational functions in q and √(-log p).
SS_INLINE double ss_normal_quantile1(double p) {
  double q = p - 0.5, r = 0.180625 - q * q;
  double central = q * (3.3871328727963666080e0 + r * (1.3314166789178437745e+2 + r * (1.9715909503065514427e+3
      + r * (1.3731693765509461125e+4 + r * (4.5921953931549871457e+4 + r * (6.7265770927008700853e+4
      + r * (3.3430575583588128105e+4 + r * 2.5090809287301226727e+3)))))))
      / (1.0 + r * (4.2313330701600911252e+1 + r * (6.8718700749205790830e+2 + r * (5.3941960214247511077e+3
      + r * (2.1213794301586595867e+4 + r * (3.9307895800092710610e+4 + r * (2.8729085735721942674e+4
      + r * 5.2264952788528545610e+3)))))));
  double t = __builtin_elementwise_sqrt(-ss_log1(q < 0.0 ? p : 1.0 - p));
  double u = t - 1.6, v = t - 5.0;
  double middle = (1.42343711074968357734e0 + u * (4.63033784615654529590e0 + u * (5.76949722146069140550e0
      + u * (3.64784832476320460504e0 + u * (1.27045825245236838258e0 + u * (2.41780725177450611770e-1
      + u * (2.27238449892691845833e-2 + u * 7.74545014278341407640e-4)))))))
      / (1.0 + u * (2.05319162663775882187e0 + u * (1.67638483018380384940e0 + u * (6.89767334985100004550e-1
      + u * (1.48103976427480074590e-1 + u * (1.51986665636164571966e-2 + u * (5.47593808499534494600e-4
      + u * 1.05075007164441684324e-9)))))));
  double far = (6.65790464350110377720e0 + v * (5.46378491116411436990e0 + v * (1.78482653991729133580e0
      + v * (2.96560571828504891230e-1 + v * (2.65321895265761230930e-2 + v * (1.24266094738807843860e-3
      + v * (2.71155556874348757815e-5 + v * 2.01033439929228813265e-7)))))))
      / (1.0 + v * (5.99832206555887937690e-1 + v * (1.36929880922735805310e-1 + v * (1.48753612908506148525e-2
      + v * (7.86869131145613259100e-4 + v * (1.84631831751005468180e-5 + v * (1.42151175831644588870e-7
      + v * 2.04426310338993978564e-15)))))));
  double tail = ss_copysign1(t <= 5.0 ? middle : far, q);
  double result = ss_abs1(q) <= 0.425 ? central : tail;
  result = p > 0.0 ? result : (p == 0.0 ? -INFINITY : NAN);
  return p < 1.0 ? result : (p == 1.0 ? INFINITY : NAN);
}

/// Defines ss_NAME over arrays and ss_NAME_value for one number; out == x is allowed.
#define SS_MAP(NAME)                                               \
  SS_CLONES void ss_##NAME(const double *x, double *out, long n) { \
    _Pragma("clang loop vectorize(assume_safety)")                 \
    for (long i = 0; i < n; i++) out[i] = ss_##NAME##1(x[i]);      \
  }                                                                \
  SS_CLONES double ss_##NAME##_value(double x) { return ss_##NAME##1(x); }

SS_MAP(erf)
SS_MAP(erfc)
SS_MAP(erfcx)
SS_MAP(normal_cdf)
SS_MAP(normal_log_cdf)
SS_MAP(normal_log_cdf_derivative)
SS_MAP(normal_quantile)

// MARK: - Gamma function

double ss_lgamma_value(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

void ss_lgamma(const double *x, double *out, long n) {
  for (long i = 0; i < n; i++) out[i] = ss_lgamma_value(x[i]);
}

/// Arguments below this are shifted up by the recurrence; then 8 Bernoulli terms leave less than 1e-17.
static const double SS_SHIFT = 10.0;

/// ψ(x) for x ≥ SS_SHIFT, less log x: -1/2x - Σ B_2k / (2k x^2k).
SS_INLINE double ss_digamma_asymptotic1(double x) {
  double z = 1.0 / (x * x);
  return -0.5 / x - z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240
      - z * (1.0 / 132 - z * (691.0 / 32760 - z * (1.0 / 12 - z * (3617.0 / 8160))))))));
}

/// π cot(π x), with the argument reduced to |r| ≤ ½ first.
static double ss_pi_cot(double x) {
  double r = x - round(x);
  return M_PI / tan(M_PI * r);
}

/// The zero of ψ on the positive axis, as a sum of two doubles.
static const double SS_DIGAMMA_ROOT = 0x1.762d86356be3fp+0, SS_DIGAMMA_ROOT_LOW = 0x1.b86a722197829p-54;

/// The Taylor coefficients of ψ about that zero, from the first order up.
static const double SS_DIGAMMA_TAYLOR[14] = {
    0x1.ef72bc8ee38acp-1, -0x1.c563b54aa1a35p-2, 0x1.08b4294d50381p-2, -0x1.4fc1317257da8p-3,
    0x1.b9a5b6370f3abp-4, -0x1.27baba261cc2cp-4, 0x1.8fce02b239ca7p-5, -0x1.0fa7ec36a7d8fp-5,
    0x1.723d6807edcc0p-6, -0x1.f970508e1b6a2p-7, 0x1.5955caaa962f3p-7, -0x1.d828079282eb8p-8,
    0x1.42e1acf81d8dcp-8, -0x1.b9afc7cee8a14p-9};

double ss_digamma_value(double x) {
  if (x != x || x == INFINITY) return x;
  if (x == -INFINITY) return NAN;
  if (x <= 0.0) {
    if (x == 0.0) return ss_copysign1(INFINITY, -x);
    if (x == floor(x)) return NAN;
    return ss_digamma_value(1.0 - x) - ss_pi_cot(x);
  }
  double d = (x - SS_DIGAMMA_ROOT) - SS_DIGAMMA_ROOT_LOW;
  if (fabs(d) < 0.1) {
    double p = 0.0;
    for (int k = 13; k >= 0; k--) p = d * (SS_DIGAMMA_TAYLOR[k] + p);
    return p;
  }
  double sum = 0.0;
  while (x < SS_SHIFT) {
    sum += 1.0 / x;
    x += 1.0;
  }
  return (log(x) - sum) + ss_digamma_asymptotic1(x);
}

void ss_digamma(const double *x, double *out, long n) {
  for (long i = 0; i < n; i++) out[i] = ss_digamma_value(x[i]);
}

double ss_trigamma_value(double x) {
  if (x != x || x == -INFINITY) return NAN;
  if (x <= 0.0) {
    if (x == floor(x)) return INFINITY;
    double s = sin(M_PI * (x - round(x)));
    return M_PI * M_PI / (s * s) - ss_trigamma_value(1.0 - x);
  }
  double sum = 0.0;
  while (x < SS_SHIFT) {
    sum += 1.0 / (x * x);
    x += 1.0;
  }
  double y = 1.0 / x, z = y * y;
  return sum + y + z * 0.5 + y * z * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42 - z * (1.0 / 30
      - z * (5.0 / 66 - z * (691.0 / 2730 - z * (7.0 / 6 - z * (3617.0 / 510))))))));
}

void ss_trigamma(const double *x, double *out, long n) {
  for (long i = 0; i < n; i++) out[i] = ss_trigamma_value(x[i]);
}

double ss_tetragamma_value(double x) {
  if (x != x || x == -INFINITY) return NAN;
  if (x <= 0.0) {
    if (x == floor(x)) return NAN;
    // The second derivative of ψ(1 - x) - ψ(x) = π cot(π x).
    double r = M_PI * (x - round(x)), s = sin(r);
    return ss_tetragamma_value(1.0 - x) - 2.0 * M_PI * M_PI * M_PI * cos(r) / (s * s * s);
  }
  double sum = 0.0;
  while (x < 13.0) {
    sum += 2.0 / (x * x * x);
    x += 1.0;
  }
  double y = 1.0 / x, z = y * y;
  return -(sum + z + z * y + z * z * (0.5 - z * (1.0 / 6 - z * (1.0 / 6 - z * (3.0 / 10
      - z * (5.0 / 6 - z * (691.0 / 210 - z * (35.0 / 2 - z * (3617.0 / 30)))))))));
}

void ss_tetragamma(const double *x, double *out, long n) {
  for (long i = 0; i < n; i++) out[i] = ss_tetragamma_value(x[i]);
}
