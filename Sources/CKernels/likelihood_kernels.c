// SPDX-License-Identifier: MIT
//
// Image likelihoods on raw buffers. Priorities: 1 no overflow and no false finite value; 2 speed; 3 the last bits.

#include "likelihood_kernels.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "elementary.h"

// Independent partial sums: enough to hide the latency of an addition in two or four vector registers.
enum { LANES = 16 };

/// Returns the sum of the lanes in a fixed order.
SS_INLINE double total(const double *lanes) {
  double sum = 0;
  for (int k = 0; k < LANES; ++k) sum += lanes[k];
  return sum;
}

// MARK: Products of many factors

// A running product 1 <= m < 2 times 2^e: m in a double, e in an integer lane. Multiplying by a normal factor that is at
// most 2^1023 cannot overflow; an infinite or NaN factor must be caught otherwise.

/// Running products, one for each lane.
typedef struct {
  double product[LANES];
  int64_t exponent[LANES];
} products;

/// Multiplies a lane's product by a positive normal factor and moves the exponent to the integer.
SS_INLINE void accumulate(double factor, double *product, int64_t *exponent) {
  uint64_t bits = ss_bits(*product * factor);
  *exponent += (int64_t)(bits >> 52) - 1023;
  *product = ss_from_bits((bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u);
}

/// Sets all products to 1.
SS_INLINE void clear(products *p) {
  for (int k = 0; k < LANES; ++k) {
    p->product[k] = 1;
    p->exponent[k] = 0;
  }
}

/// Returns the logarithm of the product of all lanes: sixteen mantissas below 2 multiply to less than 2^16.
SS_INLINE double log_total(const products *p) {
  double product = 1;
  int64_t exponent = 0;
  for (int k = 0; k < LANES; ++k) {
    product *= p->product[k];
    exponent += p->exponent[k];
  }
  return log(product) + (double)exponent * 0.693147180559945309417232121458;
}

/// Returns e^x for x <= 0, at least 1e-304; 1 ulp.
SS_INLINE double falling_exp(double x) {
  const double y = x < -700 ? -700 : x;
  double k = y * 0x1.71547652b82fep+0 + SS_ROUNDER;
  k = k - SS_ROUNDER;
  const double r = (y - k * 0x1.62e42fefa0000p-1) - k * 0x1.cf79abc9e3b3ap-40;
  return (1 + (r + r * r * ss_exp_tail(r))) * ss_power_of_two(k);
}

// MARK: Densities whose scale is the rms

/// Sums in lanes.
typedef struct {
  double value[LANES], score[LANES], outliers[LANES];
  products tails, widths;
} noise_lanes;

/// Numbers that are the same for all pixels.
typedef struct {
  double factor, variance, inverse, slope, in, out;
} noise_constants;

/// Returns the constants of a density.
SS_INLINE noise_constants constants_of(sersic_density density, sersic_noise noise) {
  noise_constants c = {noise.factor, noise.systematic * noise.systematic, 0, 0, 0, 0};
  switch (density) {
    case SERSIC_GAUSSIAN: break;
    case SERSIC_STUDENT:
      c.inverse = 1 / noise.shape;
      c.slope = 1 + c.inverse;
      break;
    case SERSIC_HUBER: c.inverse = 1 / (noise.shape * noise.shape); break;
    case SERSIC_MIXTURE:
      c.inverse = 1 / (noise.shape * noise.shape);
      c.in = (1 - noise.outliers) * sqrt(noise.factor);
      c.out = noise.outliers / noise.shape;
      break;
  }
  return c;
}

/// Adds `n` pixels to the lanes and sets their derivatives; n is at most LANES, and a constant in the main loop.
SS_INLINE void noise_block(
    sersic_density density, int widened, noise_constants c, int n, const double *restrict model,
    const double *restrict data, const double *restrict weight, double *restrict gradient,
    noise_lanes *restrict lanes) {
  for (int k = 0; k < n; ++k) {
    const double w = weight[k], d = model[k] - data[k];
    double h = w;
    if (widened) {
      const double width = 1 + c.variance * w;
      h = w / width;
      accumulate(width, &lanes->widths.product[k], &lanes->widths.exponent[k]);
    }
    const double vd = c.factor * h * d, r2 = vd * d;
    double psi = 1;  // rho' / r
    if (density == SERSIC_GAUSSIAN) {
      lanes->value[k] -= 0.5 * r2;
    } else if (density == SERSIC_STUDENT) {
      const double tail = 1 + r2 * c.inverse;
      psi = c.slope / tail;
      // Turns into NaN where the factor is not finite.
      lanes->value[k] += r2 * 0;
      accumulate(tail, &lanes->tails.product[k], &lanes->tails.exponent[k]);
    } else {
      const double q = __builtin_elementwise_sqrt(1 + r2 * c.inverse);
      psi = 1 / q;
      lanes->value[k] -= r2 / (1 + q);
    }
    gradient[k] = -psi * vd;
    lanes->score[k] += widened ? h * (r2 * psi - 1) : r2 * psi;
  }
}

/// A pixel of the mixture: the precisions of its two normal densities, and the probability of each.
typedef struct {
  double narrow, wide, in, out, exponent, factor;
} mixture_pixel;

/// Returns the parts of a pixel: its density, times rms, is factor * e^exponent.
///
/// The slower of the two exponentials is taken out; what is left is at least the share of its term.
SS_INLINE mixture_pixel mixture_of(int widened, noise_constants c, double w, double d) {
  mixture_pixel p;
  double share = c.in;
  p.narrow = c.factor * w;
  if (widened) {
    const double ratio = 1 / (1 + c.variance * w);
    p.narrow *= ratio;
    share *= __builtin_elementwise_sqrt(ratio);
  }
  p.wide = c.inverse * w;
  const double half = 0.5 * d * d, fall = (p.narrow - p.wide) * half;
  const double e = falling_exp(-ss_abs1(fall));
  const double a = share * (fall > 0 ? e : 1), b = c.out * (fall > 0 ? 1 : e);
  p.factor = a + b;
  const double inverse = 1 / p.factor;
  p.in = a * inverse;
  p.out = b * inverse;
  p.exponent = -(fall > 0 ? p.wide : p.narrow) * half;
  return p;
}

/// Adds `n` pixels of a mixture to the lanes and sets their derivatives.
SS_INLINE void mixture_block(
    int widened, noise_constants c, int n, const double *restrict model,
    const double *restrict data, const double *restrict weight, double *restrict gradient,
    noise_lanes *restrict lanes) {
  for (int k = 0; k < n; ++k) {
    const double w = weight[k], d = model[k] - data[k];
    const mixture_pixel p = mixture_of(widened, c, w, d);
    const double score = p.in * (p.narrow * d * d - 1);
    lanes->value[k] += p.exponent;
    accumulate(w > 0 ? p.factor : 1, &lanes->tails.product[k], &lanes->tails.exponent[k]);
    lanes->outliers[k] += w > 0 ? p.out : 0;
    lanes->score[k] += widened ? p.narrow / c.factor * score : (w > 0 ? score : 0);
    gradient[k] = -(p.in * p.narrow + p.out * p.wide) * d;
  }
}

/// The sums over all pixels for one density; inlined with constant `density` and `widened`.
SS_INLINE sersic_noise_sums noise_image(
    sersic_density density, int widened, sersic_noise noise, long count,
    const double *restrict model, const double *restrict data, const double *restrict weight,
    double *restrict gradient) {
  const noise_constants c = constants_of(density, noise);
  noise_lanes lanes = {{0}, {0}, {0}, {{0}, {0}}, {{0}, {0}}};
  clear(&lanes.tails);
  clear(&lanes.widths);
  long i = 0;
  for (; i < count; i += LANES) {
    const double *m = model + i, *d = data + i, *w = weight + i;
    const int n = (int)(count - i);
    if (density == SERSIC_MIXTURE) {
      if (n >= LANES) mixture_block(widened, c, LANES, m, d, w, gradient + i, &lanes);
      else mixture_block(widened, c, n, m, d, w, gradient + i, &lanes);
    } else {
      if (n >= LANES) noise_block(density, widened, c, LANES, m, d, w, gradient + i, &lanes);
      else noise_block(density, widened, c, n, m, d, w, gradient + i, &lanes);
    }
  }
  sersic_noise_sums sums = {total(lanes.value), total(lanes.score), total(lanes.outliers)};
  if (density == SERSIC_STUDENT) sums.value -= 0.5 * (noise.shape + 1) * log_total(&lanes.tails);
  if (density == SERSIC_MIXTURE) sums.value += log_total(&lanes.tails);
  if (widened && density != SERSIC_MIXTURE) sums.value -= 0.5 * log_total(&lanes.widths);
  return sums;
}

// The scale s of a pixel depends on a parameter x by u = log s: where widened u' = x / s^2 and u'' = 1 / s^2 - 2 u'^2, else u is
// itself the parameter. A log density A of model - data = d and u has the derivatives written out below.

/// The second derivatives of one density; inlined with constant `density` and `widened`.
///
/// A = -u - rho(r): -rho'' / s^2 by the model, (rho' + r rho'') / s by model and u (d has the sign of -r), and
/// -(r rho' + r^2 rho'') by u.
SS_INLINE sersic_noise_curvature second_of_one(
    sersic_density density, int widened, int stand_in, sersic_noise noise, long count,
    const double *restrict model, const double *restrict data, const double *restrict weight,
    double *restrict by_model, double *restrict by_scale) {
  const noise_constants c = constants_of(density, noise);
  sersic_noise_curvature sums = {0, 0, 0, 0, 0};
  for (long i = 0; i < count; ++i) {
    const double w = weight[i], d = model[i] - data[i];
    const double h = widened ? w / (1 + c.variance * w) : w;
    const double v = c.factor * h, vd = v * d, r2 = vd * d;
    const double first = widened ? noise.systematic * h : 1;
    const double second = widened ? h - 2 * first * first : 0;
    double psi = 1, curvature = 1;
    if (density == SERSIC_STUDENT) {
      const double tail = 1 / (1 + r2 * c.inverse);
      psi = c.slope * tail;
      curvature = c.slope * (1 - r2 * c.inverse) * tail * tail;
    } else if (density == SERSIC_HUBER) {
      psi = 1 / __builtin_elementwise_sqrt(1 + r2 * c.inverse);
      curvature = psi * psi * psi;
    }
    by_model[i] = -(stand_in ? psi : curvature) * v;
    if (by_scale) by_scale[i] = vd * (psi + curvature) * first;
    sums.scale -= r2 * (psi + curvature) * first * first;
    if (widened) sums.scale += (r2 * psi - (w > 0)) * second;
    sums.stand_in -= 2 * r2 * psi * first * first;
    sums.score += r2 * psi;
  }
  return sums;
}

/// The second derivatives of a mixture.
///
/// log(e^A + e^B) has the derivatives in A'' + out B'' + in out (A' - B')(A' - B')^T. A is that of a Gaussian, B does not depend
/// on u, and by the share of outliers f the difference A' - B' is -1 / (f (1 - f)); by f twice all that is left is -(by f)^2.
SS_INLINE sersic_noise_curvature second_of_two(
    int widened, int stand_in, sersic_noise noise, long count, const double *restrict model,
    const double *restrict data, const double *restrict weight, double *restrict by_model,
    double *restrict by_scale, double *restrict by_outliers) {
  const noise_constants c = constants_of(SERSIC_MIXTURE, noise);
  const double f = noise.outliers, spread = f > 0 && f < 1 ? 1 / (f * (1 - f)) : 0;
  sersic_noise_curvature sums = {0, 0, 0, 0, 0};
  for (long i = 0; i < count; ++i) {
    const double w = weight[i], d = model[i] - data[i];
    const double good = w > 0 ? 1 : 0;
    const mixture_pixel p = mixture_of(widened, c, w, d);
    const double first = widened ? noise.systematic * p.narrow / c.factor : 1;
    const double second = widened ? p.narrow / c.factor - 2 * first * first : 0;
    const double r2 = p.narrow * d * d, weak = p.narrow - p.wide;
    const double both = p.in * p.out, by_u = r2 - 1, by_f = (p.out - f) * spread * good;
    const double reweighted = p.in * p.narrow + p.out * p.wide;
    by_model[i] = stand_in ? -reweighted : both * weak * weak * d * d - reweighted;
    if (by_scale) by_scale[i] = (2 * p.in * p.narrow - both * weak * by_u) * d * first;
    if (by_outliers) by_outliers[i] = both * weak * d * spread;
    sums.scale += ((both * by_u * by_u - 2 * p.in * r2) * first * first + p.in * by_u * second) * good;
    sums.mixed -= both * by_u * spread * first * good;
    sums.outliers -= by_f * by_f;
    sums.stand_in -= 2 * p.in * r2 * first * first;
    sums.score += p.in * by_u * good;
  }
  return sums;
}

/// Defines the two passes of one density, with a constant density so that nothing is decided pixel by pixel.
#define NOISE(NAME, DENSITY, WIDENED)                                                          \
  SS_CLONES static sersic_noise_sums NAME##_image(                                             \
      sersic_noise noise, long count, const double *model, const double *data,                 \
      const double *weight, double *gradient) {                                                \
    return noise_image(DENSITY, WIDENED, noise, count, model, data, weight, gradient);         \
  }                                                                                            \
  SS_CLONES static sersic_noise_curvature NAME##_second(                                       \
      int stand_in, sersic_noise noise, long count, const double *model, const double *data,   \
      const double *weight, double *by_model, double *by_scale, double *by_outliers) {         \
    if (DENSITY == SERSIC_MIXTURE)                                                             \
      return second_of_two(                                                                    \
          WIDENED, stand_in, noise, count, model, data, weight, by_model, by_scale,            \
          by_outliers);                                                                        \
    return second_of_one(                                                                      \
        DENSITY, WIDENED, stand_in, noise, count, model, data, weight, by_model, by_scale);    \
  }

NOISE(gaussian, SERSIC_GAUSSIAN, 0)
NOISE(gaussian_widened, SERSIC_GAUSSIAN, 1)
NOISE(student, SERSIC_STUDENT, 0)
NOISE(student_widened, SERSIC_STUDENT, 1)
NOISE(huber, SERSIC_HUBER, 0)
NOISE(huber_widened, SERSIC_HUBER, 1)
NOISE(mixture, SERSIC_MIXTURE, 0)
NOISE(mixture_widened, SERSIC_MIXTURE, 1)

/// Calls the pass of a density.
#define DISPATCH(PASS, ...)                                                                    \
  switch (density) {                                                                           \
    case SERSIC_STUDENT:                                                                       \
      return widened ? student_widened_##PASS(__VA_ARGS__) : student_##PASS(__VA_ARGS__);      \
    case SERSIC_HUBER:                                                                         \
      return widened ? huber_widened_##PASS(__VA_ARGS__) : huber_##PASS(__VA_ARGS__);          \
    case SERSIC_MIXTURE:                                                                       \
      return widened ? mixture_widened_##PASS(__VA_ARGS__) : mixture_##PASS(__VA_ARGS__);      \
    case SERSIC_GAUSSIAN: break;                                                               \
  }                                                                                            \
  return widened ? gaussian_widened_##PASS(__VA_ARGS__) : gaussian_##PASS(__VA_ARGS__);

sersic_noise_sums sersic_noise_image(
    sersic_density density, int widened, sersic_noise noise, long count, const double *model,
    const double *data, const double *weight, double *gradient) {
  DISPATCH(image, noise, count, model, data, weight, gradient)
}

sersic_noise_curvature sersic_noise_second(
    sersic_density density, int widened, int stand_in, sersic_noise noise, long count,
    const double *model, const double *data, const double *weight, double *by_model,
    double *by_scale, double *by_outliers) {
  DISPATCH(
      second, stand_in, noise, count, model, data, weight, by_model, by_scale, by_outliers)
}

// MARK: Counts

/// Returns the mean of a pixel, positive for every model: floor^2 / (2 floor - m) where m is below the floor.
SS_INLINE double positive_mean(double m, double floor) {
  return m < floor ? floor * floor / (2 * floor - m) : m;
}

/// Adds `n` pixels to the lanes and sets their derivatives; `floored` is a constant, 0 where no mean is below the floor.
///
/// counts log(mean) - mean less its value at mean = counts is -[(mean - counts) - counts log(1 + x)], x = (mean - counts) /
/// counts, which keeps its digits where the counts are many.
SS_INLINE void counts_block(
    sersic_counting counting, int floored, int n, const double *restrict model,
    const double *restrict counts, const double *restrict inverse, const double *restrict good,
    double *restrict gradient, double *restrict lanes) {
  for (int k = 0; k < n; ++k) {
    const double m = counting.gain * (model[k] + counting.sky);
    const double mean = floored ? positive_mean(m, counting.floor) : m;
    const double excess = mean - counts[k];
    // log(1 + x), x = excess / counts, from the ratio mean / counts, which has all its digits where x is near -1.
    double e, f;
    ss_split(mean * inverse[k], &e, &f);
    const double logarithm = ss_log_sum(e, e == 0 ? excess * inverse[k] : f, 0);
    lanes[k] -= excess * good[k] - counts[k] * logarithm;
    const double slope = -excess / mean;
    const double ratio = mean / counting.floor;
    gradient[k] = good[k] * counting.gain * slope * (floored && m < counting.floor ? ratio * ratio : 1);
  }
}

SS_CLONES double sersic_counts_image(
    sersic_counting counting, long count, const double *restrict model,
    const double *restrict counts, const double *restrict inverse, const double *restrict good,
    double *restrict gradient) {
  double lanes[LANES] = {0};
  long i = 0;
  for (; i + LANES <= count; i += LANES) {
    long low = 0;
    for (int k = 0; k < LANES; ++k)
      low += !(counting.gain * (model[i + k] + counting.sky) >= counting.floor);
    if (low) {
      counts_block(
          counting, 1, LANES, model + i, counts + i, inverse + i, good + i, gradient + i, lanes);
    } else {
      counts_block(
          counting, 0, LANES, model + i, counts + i, inverse + i, good + i, gradient + i, lanes);
    }
  }
  counts_block(
      counting, 1, (int)(count - i), model + i, counts + i, inverse + i, good + i, gradient + i,
      lanes);
  return total(lanes);
}

SS_CLONES void sersic_counts_second(
    sersic_counting counting, int stand_in, long count, const double *restrict model,
    const double *restrict counts, const double *restrict good, double *restrict by_model) {
  const double inverse_floor = 1 / counting.floor, square = counting.gain * counting.gain;
  for (long i = 0; i < count; ++i) {
    const double m = counting.gain * (model[i] + counting.sky);
    const double mean = positive_mean(m, counting.floor);
    const int below = m < counting.floor;
    const double ratio = mean * inverse_floor;
    const double slope = below ? ratio * ratio : 1;
    const double bend = below ? 2 * ratio * ratio * ratio * inverse_floor : 0;
    const double exact = -counts[i] * slope * slope / (mean * mean) + (counts[i] / mean - 1) * bend;
    by_model[i] = good[i] * square * (stand_in ? -slope * slope / mean : exact);
  }
}

// MARK: Sums of products

SS_CLONES void sersic_add_product(
    long count, double factor, const double *restrict a, const double *restrict b,
    double *restrict out) {
  for (long i = 0; i < count; ++i) out[i] += factor * a[i] * b[i];
}

SS_CLONES void sersic_add_scaled(long count, double factor, const double *restrict a, double *restrict out) {
  for (long i = 0; i < count; ++i) out[i] += factor * a[i];
}

SS_CLONES void sersic_scale(long count, double factor, double *restrict a) {
  for (long i = 0; i < count; ++i) a[i] *= factor;
}

SS_CLONES double sersic_dot(long count, const double *restrict a, const double *restrict b) {
  double sums[LANES] = {0};
  long i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int k = 0; k < LANES; ++k) sums[k] += a[i + k] * b[i + k];
  for (int k = 0; i < count; ++i, ++k) sums[k] += a[i] * b[i];
  return total(sums);
}
