// SPDX-License-Identifier: MIT
//
// Image likelihoods on raw buffers: sums over pixels and their derivatives, in one pass.

#ifndef SERSIC_LIKELIHOOD_KERNELS_H
#define SERSIC_LIKELIHOOD_KERNELS_H

/// How the density of a pixel falls off with its residual in units of its scale, r.
typedef enum {
  /// exp(-r^2 / 2)
  SERSIC_GAUSSIAN = 0,
  /// (1 + r^2 / shape)^(-(shape + 1) / 2)
  SERSIC_STUDENT = 1,
  /// exp(-shape^2 (sqrt(1 + r^2 / shape^2) - 1))
  SERSIC_HUBER = 2,
  /// (1 - f) / s exp(-r^2 / 2), plus f / (shape rms) exp(-((model - data) / (shape rms))^2 / 2) for outliers
  SERSIC_MIXTURE = 3
} sersic_density;

/// The numbers of a density: r = (model - data) / s, 1 / s^2 = factor / (1 / weight + systematic^2), 1 / rms^2 = weight.
typedef struct {
  /// Degrees of freedom, transition, or scale of the outliers.
  double shape;
  /// The factor of the weights.
  double factor;
  /// The standard deviation that is added in squares to 1 / weight, in the unit of the data; used where `widened`.
  double systematic;
  /// The share of outliers f, 1e-290 to 1, 1 excluded; used by the mixture.
  double outliers;
} sersic_noise;

/// What the sums over pixels give.
typedef struct {
  /// The log likelihood, but for log(2 pi) / 2, the normalisation of a density, and log(rms) and, but for a mixture, -log(factor) / 2
  /// of each pixel.
  double value;
  /// The sum of by_u = r rho' - 1, rho = -log density (of a mixture, times the probability that the pixel is no outlier); times
  /// 1 / (1 / weight + systematic^2) where widened; without the -1 where neither widened nor a mixture.
  double score;
  /// The sum of the probabilities that a pixel is an outlier; the mixture's.
  double outliers;
} sersic_noise_sums;

/// The second derivatives by the noise's own parameters: l = log s, or the systematic where `widened`; f.
typedef struct {
  /// By l twice.
  double scale;
  /// By l and f.
  double mixed;
  /// By f twice.
  double outliers;
  /// A stand-in for `scale` that is never positive.
  double stand_in;
  /// As in the sums of the first pass where not widened.
  double score;
} sersic_noise_curvature;

/// Returns the sums over `count` pixels, and sets `gradient` to the derivative by the model's pixels.
///
/// The weights are 1 / rms^2, 0 for pixels that do not count. Logarithms are taken of products whose exponents are kept
/// apart, so nothing overflows; NaN where a residual is not finite.
sersic_noise_sums sersic_noise_image(
    sersic_density density, int widened, sersic_noise noise, long count, const double *model,
    const double *data, const double *weight, double *gradient);

/// Sets the second derivatives of the log likelihood: by each model pixel twice, by it and l, by it and f.
///
/// With `stand_in` the first is replaced by -rho' / r, which is never positive. `by_outliers` is set by the mixture only;
/// it may be null otherwise, and `by_scale` where nobody asks.
sersic_noise_curvature sersic_noise_second(
    sersic_density density, int widened, int stand_in, sersic_noise noise, long count,
    const double *model, const double *data, const double *weight, double *by_model,
    double *by_scale, double *by_outliers);

/// The numbers of a Poisson likelihood: counts have the mean gain * (model + sky).
typedef struct {
  /// Counts for one unit of the model, > 0.
  double gain;
  /// What was subtracted from the data, in the unit of the model.
  double sky;
  /// Means below this many counts are replaced by floor^2 / (2 floor - mean), which is positive.
  double floor;
} sersic_counting;

/// Returns the sum of counts * log(mean) - mean less its largest value, and sets `gradient` to the derivative by the model.
///
/// `good` is 1, or 0 for pixels that do not count; `inverse` is 1 / counts, 0 where there are none.
double sersic_counts_image(
    sersic_counting counting, long count, const double *model, const double *counts,
    const double *inverse, const double *good, double *gradient);

/// Sets the second derivative by each model pixel; with `stand_in` its expectation, which is never positive.
void sersic_counts_second(
    sersic_counting counting, int stand_in, long count, const double *model, const double *counts,
    const double *good, double *by_model);

/// Adds factor * a * b, element by element, to `out`.
void sersic_add_product(long count, double factor, const double *a, const double *b, double *out);

/// Adds factor * a, element by element, to `out`.
void sersic_add_scaled(long count, double factor, const double *a, double *out);

/// Multiplies `a` by a factor.
void sersic_scale(long count, double factor, double *a);

/// Returns the sum of a * b.
double sersic_dot(long count, const double *a, const double *b);

#endif
