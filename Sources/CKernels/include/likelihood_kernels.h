// SPDX-License-Identifier: MIT
//
// Image likelihoods on raw buffers: sums over pixels and their derivatives, in one pass.

#ifndef SERSIC_LIKELIHOOD_KERNELS_H
#define SERSIC_LIKELIHOOD_KERNELS_H

/// Returns the sum of weight * (model - data)^2, and sets gradient = -weight * (model - data).
///
/// All arrays have `count` elements; the weights are inverse variances, 0 for pixels that do not count.
double sersic_gaussian_image(
    long count, const double *model, const double *data, const double *weight, double *gradient);

/// Returns the sum of log(1 + u), u = weight * (model - data)^2, and sets
/// gradient = -slope * weight * (model - data) / (1 + u).
///
/// All arrays have `count` elements; the weights are 1 / (dof * scale^2), 0 for pixels that do not count. The logarithm
/// is taken of products of factors whose exponents are kept apart, so nothing overflows; NaN where a u is not finite.
double sersic_student_image(
    long count, const double *model, const double *data, const double *weight, double slope,
    double *gradient);

/// Adds -factor * weight * direction * (1 - u) / (1 + u)^2, u = weight * (model - data)^2, to `out`.
void sersic_student_curvature(
    long count, const double *model, const double *data, const double *weight, double factor,
    const double *direction, double *out);

/// Adds -factor * weight * direction / (1 + u), u = weight * (model - data)^2, to `out`.
void sersic_student_reweighted(
    long count, const double *model, const double *data, const double *weight, double factor,
    const double *direction, double *out);

/// Adds factor * a * b, element by element, to `out`.
void sersic_add_product(long count, double factor, const double *a, const double *b, double *out);

/// Adds factor * a, element by element, to `out`.
void sersic_add_scaled(long count, double factor, const double *a, double *out);

/// Returns the sum of a * b.
double sersic_dot(long count, const double *a, const double *b);

#endif
