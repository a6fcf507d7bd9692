// SPDX-License-Identifier: MIT
//
// Modified Bessel functions of real order by the trapezoid rule on DLMF 10.32.9. Priorities: 1 no overflow of factors whose
// product is of order one; 2 relative error of some 1e-13, derivatives by the order too; 3 speed.

#include "bessel_kernels.h"

#include "elementary.h"

// K_m(x) = integral over t > 0 of exp(-x cosh t) cosh(m t). The integrand is even and entire, and falls doubly exponentially:
// the rule of step h errs by exp(-pi^2 / h) where the argument turns the exponent imaginary, and by exp(-2 pi^2 / (w h^2)) at
// the peak, whose curvature is w = sqrt(x^2 + m^2), or for small x by |Gamma(m + 2 pi i / h)| / Gamma(m), which is more.

/// The largest step: of orders up to 5, exp(-pi^2 / 0.21) = 4e-21 times some powers of 2 pi / 0.21 remain, 2e-15 at most.
static const double STEP = 0.21;

/// The largest step times sqrt(w): |Gamma(m + 4 pi i sqrt(m))| / Gamma(m) is 6e-15 for m = 5.7, less for larger m.
static const double SCALED_STEP = 0.5;

/// -ln of what is left out of the integral, relative to its peak.
static const double DEPTH = 42;

/// The number of nodes taken together.
#define BLOCK 4

SS_CLONES void sersic_bessel_products(
    long count, const double *restrict x, double order, double power, double log_norm,
    double *restrict out) {
  const double m0 = fabs(order), m1 = fabs(order - 1);
  const double most = m0 > m1 ? m0 : m1;  // >= 1/2
  const double sign0 = order < 0 ? -1 : 1, sign1 = order < 1 ? -1 : 1;
  for (long i = 0; i < count; ++i) {
    const double w = sqrt(x[i] * x[i] + most * most);
    // The peak of exp(-x (cosh t - 1) + most t), and its logarithm.
    const double peak = asinh(most / x[i]);
    const double top = most * peak - (w - x[i]);
    // Beyond the peak the logarithm falls by w (cosh d - 1) at least.
    const double reach = acosh(1 + DEPTH / w);
    const double scaled = SCALED_STEP / sqrt(w);
    const double h = scaled < STEP ? scaled : STEP;
    const long nodes = (long)ceil((peak + reach) / h) + 1;
    double sums[4][BLOCK] = {{0}};
    for (long block = 0; block < nodes; block += BLOCK) {
      for (int j = 0; j < BLOCK; ++j) {
        const double t = (double)(block + j) * h;
        const double e = ss_exp1(t);
        const double base = -x[i] * (0.5 * (e + 1 / e) - 1) - top;
        const double half = t == 0 ? 0.25 : 0.5;
        const double a = half * ss_exp1(base + m0 * t), b = half * ss_exp1(base + m1 * t);
        const double p = ss_exp1(-2 * m0 * t), q = ss_exp1(-2 * m1 * t);
        sums[0][j] += a * (1 + p);
        sums[1][j] += b * (1 + q);
        sums[2][j] += t * a * (1 - p);
        sums[3][j] += t * b * (1 - q);
      }
    }
    const double scale = h * exp(power * log(0.5 * x[i]) - log_norm + top - x[i]);
    double totals[4];
    for (int k = 0; k < 4; ++k) {
      totals[k] = scale * ((sums[k][0] + sums[k][1]) + (sums[k][2] + sums[k][3]));
    }
    out[4 * i] = totals[0];
    out[4 * i + 1] = totals[1];
    out[4 * i + 2] = sign0 * totals[2];
    out[4 * i + 3] = sign1 * totals[3];
  }
}
