// SPDX-License-Identifier: MIT
//
// The loops of Hamiltonian trajectories over vectors whose length is padded with zeros to a multiple of four.

#ifndef SERSIC_TRAJECTORY_KERNELS_H
#define SERSIC_TRAJECTORY_KERNELS_H

/// The number of elements to a multiple of which vectors of trajectories are padded.
#define SS_TRAJECTORY_PADDING 4

/// Begins a leapfrog step with a diagonal factor d: r1 = r + half · d g, then q1 = q + step · d r1.
void ss_leap_begin(
    const double *q, const double *r, const double *g, const double *d, double half, double step,
    double *q1, double *r1, long n);

/// The weights of two points of a trajectory.
typedef struct {
  double first, second;
} ss_weights;

/// Returns exp(-error) of two points, 1 ulp; that of the nearer end beyond -700...700, anything where an error is not a number.
ss_weights ss_weigh(double first, double second);

/// Ends a leapfrog step with a diagonal factor d and begins the next: r1 = r + step · d g, then q1 = q + step · d r1, and
/// r += half · d g; returns the energy less that of the first point, r · r / 2 - value - start, where `value` is the log density.
double ss_leap_on(
    const double *q, double *r, const double *g, const double *d, double half, double step,
    double *q1, double *r1, long n, double value, double start);

/// Ends a leapfrog step by adding half · h to r; returns the energy less that of the first point, as above.
double ss_kick(
    double *r, const double *h, double half, long n, double value, double start);

/// Sets y to x + factor · z; y may be x or z.
void ss_add_scaled(const double *x, double factor, const double *z, double *y, long n);

/// Sets y to the product of two vectors, element by element.
void ss_product(const double *x, const double *z, double *y, long n);

/// Returns x · y.
double ss_inner(const double *x, const double *y, long n);

/// Joins two points of a trajectory: total = r + s; returns whether total has positive products with both.
int ss_join_points(const double *r, const double *s, double *total, long n);

/// Joins two stretches a, b of a trajectory with momentum sums and the momenta at their ends: total = a + b.
///
/// Returns whether the whole, the first with the next point of the second, and the second with the last point of the first all
/// go on: their momentum sums have positive products with the momenta at both of their ends.
int ss_join_stretches(
    const double *a, const double *b, const double *first, const double *left, const double *right,
    const double *last, double *total, long n);

/// Sets y to x + Σ gain (u · x) u, for orthonormal rows u of length n; y is not x.
void ss_stretch(
    const double *x, const double *rows, const double *gains, long rank, double *y, long n);

/// Sets y to L x for a lower triangle of `size` rows of length n; y is not x.
void ss_lower_product(const double *lower, const double *x, double *y, long size, long n);

/// Sets y to Lᵀ x for a lower triangle of `size` rows of length n; y is not x.
void ss_lower_transposed_product(
    const double *lower, const double *x, double *y, long size, long n);

#endif
