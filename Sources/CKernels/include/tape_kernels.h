// SPDX-License-Identifier: MIT
//
// The long loops of the tape: elementwise arithmetic, what its reverse pass adds up, normal densities, products with a vector.
//
// A stride is 0 or 1: one element for all, or one for each. Sums are taken in sixteen parts, in an order that depends on n
// alone.

#ifndef SERSIC_TAPE_KERNELS_H
#define SERSIC_TAPE_KERNELS_H

/// Copies x to y, which do not overlap; short ones number by number.
///
/// What has just been written in pieces is read in pieces: a processor waits before it reads across two of them.
void ss_copy_loose(const double *x, double *y, long n);

/// Sets out = a + b; here and below at least one of the two has stride 1.
void ss_add(const double *a, long stride_a, const double *b, long stride_b, double *out, long n);

/// Sets out = a - b.
void ss_subtract(
    const double *a, long stride_a, const double *b, long stride_b, double *out, long n);

/// Sets out = a b.
void ss_multiply(
    const double *a, long stride_a, const double *b, long stride_b, double *out, long n);

/// Sets out = a / b.
void ss_divide(const double *a, long stride_a, const double *b, long stride_b, double *out, long n);

/// Sets out = sign (a b) + other c.
void ss_multiply_add(
    const double *a, long stride_a, const double *b, long stride_b, const double *c, long stride_c,
    double sign, double other, double *out, long n);

/// Returns the sum of x.
double ss_sum(const double *x, long n);

/// Returns the sum of x y.
double ss_dot(const double *x, const double *y, long n);

/// Adds the constant to y.
void ss_shift(double constant, double *y, long n);

/// Adds factor x to y.
void ss_accumulate(double factor, const double *x, double *y, long n);

/// Adds factor x z to y.
void ss_add_product(double factor, const double *x, const double *z, double *y, long n);

/// Adds x / z to y.
void ss_add_quotient(const double *x, const double *z, double *y, long n);

/// Returns the sum of z^2, z = (x - loc) inverse; sets *sum to that of z, and slope = z inverse unless it is null.
double ss_normal_one_scale(
    const double *x, long stride_x, const double *loc, long stride_loc, double inverse,
    double *slope, double *sum, long n);

/// Returns the sum of -z^2 / 2 - log scale, z = (x - loc) / scale; the scales are positive.
///
/// Sets slope = z / scale and by_scale = (z^2 - 1) / scale.
double ss_normal_scales(
    const double *x, long stride_x, const double *loc, long stride_loc, const double *scale,
    double *slope, double *by_scale, long n);

/// Sets value = x eta - trials log(1 + e^eta) and slope = x - trials / (1 + e^-eta), and returns the sum of the values.
///
/// Without trials there is one for each element. Where x is no whole number of 0 ... trials, value is -infinity and slope 0.
/// Strides are 0 or 1.
double ss_logistic_terms(
    const double *x, long stride_x, const double *trials, long stride_trials, const double *eta,
    double *value, double *slope, long n);

/// Sets value = x eta - e^eta and slope = x - e^eta, and returns the sum of the values.
///
/// Where x is no whole number from 0 on, value is -infinity and slope 0. The stride is 0 or 1.
double ss_poisson_terms(
    const double *x, long stride_x, const double *eta, double *value, double *slope, long n);

/// Returns the sum of ((x - loc) inverse)^2.
double ss_normal_fixed(
    const double *x, long stride_x, const double *loc, long stride_loc, const double *inverse,
    long stride_inverse, long n);

/// Adds factor (x - loc) inverse^2 to y, or its sum where y has stride 0.
void ss_add_normal_fixed(
    double factor, const double *x, long stride_x, const double *loc, long stride_loc,
    const double *inverse, long stride_inverse, double *y, long stride_y, long n);

/// Sets out = A x for A given by its columns, each of `rows` elements.
void ss_columns_times_vector(
    const double *columns, long rows, long count, const double *x, double *out);

/// Adds the products of the columns of A with y to out, one for each column.
void ss_columns_dot_vector(
    const double *columns, long rows, long count, const double *y, double *out);

#endif
