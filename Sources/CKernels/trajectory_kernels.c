// SPDX-License-Identifier: MIT
//
// The loops of Hamiltonian trajectories.
//
// A trajectory of a small model spends as long here as on its log density: lengths are multiples of four, so that there is no
// tail, and four numbers are taken at a time, which also fixes the order of sums.

#include "include/trajectory_kernels.h"
#include "elementary.h"

/// Four numbers at any address; machines with shorter vectors take them in parts.
typedef double ss_quad __attribute__((vector_size(32), aligned(8), may_alias));

/// The four numbers at an address.
#define SS_QUAD(x, k) (*(const ss_quad *)((x) + (k)))

/// The four numbers at an address, to be set.
#define SS_SET_QUAD(x, k) (*(ss_quad *)((x) + (k)))

/// The four numbers at an address, read one by one: a processor that has just written them in other pieces waits for all of
/// these before it reads across two. Volatile, or a compiler would read them at once.
#define SS_LOOSE_QUAD(x, k)                                                                     \
  ((ss_quad){((const volatile double *)(x))[(k)], ((const volatile double *)(x))[(k) + 1],      \
             ((const volatile double *)(x))[(k) + 2], ((const volatile double *)(x))[(k) + 3]})

/// The sum of four numbers; a macro, since vectors as arguments depend on the machine.
#define SS_SUM4(s) (((s)[0] + (s)[2]) + ((s)[1] + (s)[3]))

/// Returns x · y.
SS_INLINE double ss_inner1(const double *x, const double *y, long n) {
  ss_quad sum = {0, 0, 0, 0};
  for (long k = 0; k < n; k += 4) sum += SS_QUAD(x, k) * SS_QUAD(y, k);
  return SS_SUM4(sum);
}

/// exp(-error) without its edges.
SS_INLINE double ss_weight1(double error) {
  double x = error < -700.0 ? 700.0 : -error;
  x = x < -700.0 ? -700.0 : x;
  double shifted = x * 0x1.71547652b82fep+0 + SS_ROUNDER;
  double k = shifted - SS_ROUNDER;
  double r = (x - k * 0x1.62e42fefa0000p-1) - k * 0x1.cf79abc9e3b3ap-40;
  double scale = ss_from_bits((ss_bits(shifted) << 52) + 0x3ff0000000000000u);
  return (1.0 + (r + r * r * ss_exp_tail(r))) * scale;
}

SS_CLONES ss_weights ss_weigh(double first, double second) {
  // Side by side: a trajectory waits for one exponential where it would for two.
  ss_weights weights = {ss_weight1(first), ss_weight1(second)};
  return weights;
}

SS_CLONES void ss_leap_begin(
    const double *q, const double *r, const double *g, const double *d, double half, double step,
    double *q1, double *r1, long n) {
  for (long k = 0; k < n; k += 4) {
    ss_quad scale = SS_QUAD(d, k), middle = SS_QUAD(r, k) + half * scale * SS_QUAD(g, k);
    SS_SET_QUAD(r1, k) = middle;
    SS_SET_QUAD(q1, k) = SS_QUAD(q, k) + step * scale * middle;
  }
}

SS_CLONES double ss_leap_on(
    const double *q, double *r, const double *g, const double *d, double half, double step,
    double *q1, double *r1, long n, double value, double start) {
  ss_quad sum = {0, 0, 0, 0};
  for (long k = 0; k < n; k += 4) {
    ss_quad scale = SS_QUAD(d, k), pull = scale * SS_LOOSE_QUAD(g, k), middle = SS_QUAD(r, k);
    ss_quad end = middle + half * pull, next = middle + step * pull;
    SS_SET_QUAD(r, k) = end;
    SS_SET_QUAD(r1, k) = next;
    SS_SET_QUAD(q1, k) = SS_QUAD(q, k) + step * scale * next;
    sum += end * end;
  }
  return 0.5 * SS_SUM4(sum) - value - start;
}

SS_CLONES double ss_kick(
    double *r, const double *h, double half, long n, double value, double start) {
  ss_quad sum = {0, 0, 0, 0};
  for (long k = 0; k < n; k += 4) {
    ss_quad end = SS_QUAD(r, k) + half * SS_QUAD(h, k);
    SS_SET_QUAD(r, k) = end;
    sum += end * end;
  }
  return 0.5 * SS_SUM4(sum) - value - start;
}

SS_CLONES void ss_add_scaled(
    const double *x, double factor, const double *z, double *y, long n) {
  for (long k = 0; k < n; k += 4) SS_SET_QUAD(y, k) = SS_QUAD(x, k) + factor * SS_QUAD(z, k);
}

SS_CLONES void ss_product(const double *x, const double *z, double *y, long n) {
  for (long k = 0; k < n; k += 4) SS_SET_QUAD(y, k) = SS_QUAD(x, k) * SS_QUAD(z, k);
}

SS_CLONES double ss_inner(const double *x, const double *y, long n) { return ss_inner1(x, y, n); }

SS_CLONES int ss_join_points(const double *r, const double *s, double *total, long n) {
  ss_quad x = {0, 0, 0, 0}, y = {0, 0, 0, 0};
  for (long k = 0; k < n; k += 4) {
    ss_quad first = SS_QUAD(r, k), last = SS_QUAD(s, k), sum = first + last;
    SS_SET_QUAD(total, k) = sum;
    x += sum * first;
    y += sum * last;
  }
  return (SS_SUM4(x) > 0) & (SS_SUM4(y) > 0);
}

SS_CLONES int ss_join_stretches(
    const double *a, const double *b, const double *first, const double *left, const double *right,
    const double *last, double *total, long n) {
  ss_quad x0 = {0, 0, 0, 0}, x1 = x0, y0 = x0, y1 = x0, z0 = x0, z1 = x0;
  for (long k = 0; k < n; k += 4) {
    ss_quad s = SS_QUAD(a, k), t = SS_QUAD(b, k), sum = s + t;
    ss_quad p = SS_QUAD(first, k), u = SS_QUAD(left, k), v = SS_QUAD(right, k), w = SS_QUAD(last, k);
    ss_quad to_right = s + v, from_left = t + u;
    SS_SET_QUAD(total, k) = sum;
    x0 += sum * p;
    x1 += sum * w;
    y0 += to_right * p;
    y1 += to_right * v;
    z0 += from_left * u;
    z1 += from_left * w;
  }
  return (SS_SUM4(x0) > 0) & (SS_SUM4(x1) > 0) & (SS_SUM4(y0) > 0) & (SS_SUM4(y1) > 0)
      & (SS_SUM4(z0) > 0) & (SS_SUM4(z1) > 0);
}

SS_CLONES void ss_stretch(
    const double *x, const double *rows, const double *gains, long rank, double *y, long n) {
  for (long k = 0; k < n; k += 4) SS_SET_QUAD(y, k) = SS_QUAD(x, k);
  for (long i = 0; i < rank; i++) {
    const double *u = rows + i * n;
    double share = gains[i] * ss_inner1(u, x, n);
    for (long k = 0; k < n; k += 4) SS_SET_QUAD(y, k) += share * SS_QUAD(u, k);
  }
}

SS_CLONES void ss_lower_product(
    const double *lower, const double *x, double *y, long size, long n) {
  // A row is zero from its diagonal on: what is read beyond it adds nothing.
  for (long i = 0; i < size; i++) y[i] = ss_inner1(lower + i * n, x, (i + 4) & ~3L);
  for (long i = size; i < n; i++) y[i] = 0;
}

SS_CLONES void ss_lower_transposed_product(
    const double *lower, const double *x, double *y, long size, long n) {
  for (long k = 0; k < n; k++) y[k] = 0;
  for (long i = 0; i < size; i++) {
    const double *row = lower + i * n;
    double factor = x[i];
    for (long k = 0; k <= i; k += 4) SS_SET_QUAD(y, k) += factor * SS_QUAD(row, k);
  }
}
