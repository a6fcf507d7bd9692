// SPDX-License-Identifier: MIT
//
// The long loops of the tape. Priorities: 1 NaN and infinities as in plain arithmetic; 2 speed; 3 the last bits.

#include "include/tape_kernels.h"

#include "elementary.h"

#include <string.h>

typedef double four __attribute__((vector_size(32), aligned(8)));

/// Four elements from an address on; with stride 0 four times the one there. A macro, since vectors cannot be returned.
#define LOAD(X, STRIDE)                          \
  ({                                             \
    four loaded;                                 \
    if (STRIDE) {                                \
      memcpy(&loaded, X, sizeof loaded);         \
    } else {                                     \
      const double one = *(X);                   \
      loaded = (four){one, one, one, one};       \
    }                                            \
    loaded;                                      \
  })

void ss_copy_loose(const double *x, double *y, long n) {
  if (n > 64) {
    memcpy(y, x, sizeof(double) * n);
    return;
  }
#pragma clang loop vectorize(disable) unroll(disable)
  for (long i = 0; i < n; ++i) y[i] = x[i];
}

/// Sixteen partial sums: enough to hide the latency of an addition in two or four vector registers.
typedef struct {
  four part[4];
} sums;

/// The sum of all parts, in a fixed order.
SS_INLINE double total(const sums *s) {
  const four all = (s->part[0] + s->part[1]) + (s->part[2] + s->part[3]);
  return (all[0] + all[1]) + (all[2] + all[3]);
}

/// Runs BLOCK(i, part) for each four elements from i on, and SINGLE(i) for each that is left, adding to `s` and `rest`.
#define IN_FOURS(BLOCK, SINGLE)                              \
  for (; i + 16 <= n; i += 16) {                             \
    BLOCK(i, 0) BLOCK(i + 4, 1) BLOCK(i + 8, 2) BLOCK(i + 12, 3) \
  }                                                          \
  for (; i + 4 <= n; i += 4) { BLOCK(i, 0) }                 \
  for (; i < n; ++i) { SINGLE(i) }

/// Defines NAME over two operands, each of stride 0 or 1; the loop is compiled for each pair of strides.
#define BINARY(NAME, EXPRESSION)                                                               \
  SS_CLONES void NAME(                                                                         \
      const double *a, long stride_a, const double *b, long stride_b, double *out, long n) {   \
    if (stride_a && stride_b) {                                                                \
      _Pragma("clang loop vectorize(assume_safety)")                                           \
      for (long i = 0; i < n; ++i) { const double x = a[i], y = b[i]; out[i] = EXPRESSION; }   \
    } else if (stride_a) {                                                                     \
      const double y = b[0];                                                                   \
      _Pragma("clang loop vectorize(assume_safety)")                                           \
      for (long i = 0; i < n; ++i) { const double x = a[i]; out[i] = EXPRESSION; }             \
    } else {                                                                                   \
      const double x = a[0];                                                                   \
      _Pragma("clang loop vectorize(assume_safety)")                                           \
      for (long i = 0; i < n; ++i) { const double y = b[i]; out[i] = EXPRESSION; }             \
    }                                                                                          \
  }

BINARY(ss_add, x + y)
BINARY(ss_subtract, x - y)
BINARY(ss_multiply, x * y)
BINARY(ss_divide, x / y)

/// Calls BODY(p, q, r) with the strides of three operands as constants.
#define FOR_STRIDES(P, Q, R, BODY)                 \
  switch ((P ? 1 : 0) | (Q ? 2 : 0) | (R ? 4 : 0)) { \
    case 0: BODY(0, 0, 0); break;                  \
    case 1: BODY(1, 0, 0); break;                  \
    case 2: BODY(0, 1, 0); break;                  \
    case 3: BODY(1, 1, 0); break;                  \
    case 4: BODY(0, 0, 1); break;                  \
    case 5: BODY(1, 0, 1); break;                  \
    case 6: BODY(0, 1, 1); break;                  \
    default: BODY(1, 1, 1); break;                 \
  }

SS_CLONES void ss_multiply_add(
    const double *a, long stride_a, const double *b, long stride_b, const double *c, long stride_c,
    double sign, double other, double *out, long n) {
#define LOOP(P, Q, R)                              \
  _Pragma("clang loop vectorize(assume_safety)")   \
  for (long i = 0; i < n; ++i) out[i] = sign * (a[i * P] * b[i * Q]) + other * c[i * R]
  FOR_STRIDES(stride_a, stride_b, stride_c, LOOP)
#undef LOOP
}

SS_CLONES double ss_sum(const double *x, long n) {
  sums s = {0};
  double rest = 0;
  long i = 0;
#define BLOCK(I, PART) s.part[PART] += LOAD(x + I, 1);
#define SINGLE(I) rest += x[I];
  IN_FOURS(BLOCK, SINGLE)
#undef BLOCK
#undef SINGLE
  return total(&s) + rest;
}

SS_CLONES double ss_dot(const double *x, const double *y, long n) {
  sums s = {0};
  double rest = 0;
  long i = 0;
#define BLOCK(I, PART) s.part[PART] += LOAD(x + I, 1) * LOAD(y + I, 1);
#define SINGLE(I) rest += x[I] * y[I];
  IN_FOURS(BLOCK, SINGLE)
#undef BLOCK
#undef SINGLE
  return total(&s) + rest;
}

SS_CLONES void ss_shift(double constant, double *y, long n) {
  for (long i = 0; i < n; ++i) y[i] += constant;
}

SS_CLONES void ss_accumulate(double factor, const double *restrict x, double *restrict y, long n) {
  for (long i = 0; i < n; ++i) y[i] += factor * x[i];
}

SS_CLONES void ss_add_product(
    double factor, const double *restrict x, const double *restrict z, double *restrict y, long n) {
  for (long i = 0; i < n; ++i) y[i] += factor * (x[i] * z[i]);
}

SS_CLONES void ss_add_quotient(
    const double *restrict x, const double *restrict z, double *restrict y, long n) {
  for (long i = 0; i < n; ++i) y[i] += x[i] / z[i];
}

/// The loop of `ss_normal_one_scale` with constant strides, with slopes or without.
SS_INLINE double one_scale(
    const double *restrict x, long stride_x, const double *restrict loc, long stride_loc,
    double inverse, double *restrict slope, double *restrict sum, long n) {
  sums s = {0}, first = {0};
  double rest = 0, first_rest = 0;
  long i = 0;
#define BLOCK(I, PART)                                                                   \
  {                                                                                      \
    const four z = (LOAD(x + (I) * stride_x, stride_x)                                   \
        - LOAD(loc + (I) * stride_loc, stride_loc)) * inverse;                           \
    first.part[PART] += z;                                                               \
    s.part[PART] += z * z;                                                               \
    if (slope) {                                                                         \
      const four up = z * inverse;                                                       \
      memcpy(slope + I, &up, sizeof up);                                                 \
    }                                                                                    \
  }
#define SINGLE(I)                                                          \
  const double z = (x[(I) * stride_x] - loc[(I) * stride_loc]) * inverse;  \
  first_rest += z;                                                         \
  rest += z * z;                                                           \
  if (slope) slope[I] = z * inverse;
  IN_FOURS(BLOCK, SINGLE)
#undef BLOCK
#undef SINGLE
  *sum = total(&first) + first_rest;
  return total(&s) + rest;
}

SS_CLONES double ss_normal_one_scale(
    const double *restrict x, long stride_x, const double *restrict loc, long stride_loc,
    double inverse, double *restrict slope, double *restrict sum, long n) {
  if (!slope) return one_scale(x, stride_x, loc, stride_loc, inverse, 0, sum, n);
  if (stride_x && stride_loc) return one_scale(x, 1, loc, 1, inverse, slope, sum, n);
  if (stride_x) return one_scale(x, 1, loc, 0, inverse, slope, sum, n);
  return one_scale(x, 0, loc, 1, inverse, slope, sum, n);
}

SS_CLONES double ss_normal_scales(
    const double *restrict x, long stride_x, const double *restrict loc, long stride_loc,
    const double *restrict scale, double *restrict slope, double *restrict by_scale, long n) {
  // Slopes first hold the residuals, and the other derivatives the terms of the sum.
  ss_subtract(x, stride_x, loc, stride_loc, slope, n);
  _Pragma("clang loop vectorize(assume_safety)")
  for (long i = 0; i < n; ++i) {
    const double z = slope[i] / scale[i];
    by_scale[i] = -0.5 * (z * z) - ss_log1(scale[i]);
  }
  const double sum = ss_sum(by_scale, n);
  _Pragma("clang loop vectorize(assume_safety)")
  for (long i = 0; i < n; ++i) {
    const double inverse = 1 / scale[i], z = slope[i] * inverse;
    slope[i] = z * inverse;
    by_scale[i] = (z * z - 1) * inverse;
  }
  return sum;
}

/// The terms of one logistic observation; both branches of each choice are computed, so that loops are vectors.
///
/// log(1 + e^-|eta|) is taken by itself: x eta - trials max(eta, 0) does not cancel against the rest.
SS_INLINE double logistic_term(double x, double trials, double eta, double *slope) {
  const double size = ss_abs1(eta), e = ss_exp1(-size), rest = trials - x;
  const double missed = eta > 0 ? rest : x;
  // 0 times infinity is 0: what is certain has happened.
  const double linear = missed == 0 ? 0 : missed * size;
  const double value = -linear - trials * ss_log1p1(e);
  const double s = x - trials * ((eta < 0 ? e : 1) / (1 + e));
  const int possible = (x >= 0) & (x == __builtin_rint(x)) & (rest >= 0);
  *slope = possible ? s : 0;
  return possible ? value : -INFINITY;
}

/// The terms of one Poisson observation.
SS_INLINE double poisson_term(double x, double eta, double *slope) {
  const double rate = ss_exp1(eta);
  // 0 times -infinity is 0: nothing was expected and nothing came.
  const double value = (x == 0 ? 0 : x * eta) - rate;
  const int possible = (x >= 0) & (x == __builtin_rint(x));
  *slope = possible ? x - rate : 0;
  return possible ? value : -INFINITY;
}

SS_CLONES double ss_logistic_terms(
    const double *restrict x, long stride_x, const double *restrict trials, long stride_trials,
    const double *restrict eta, double *restrict value, double *restrict slope, long n) {
  if (!trials && stride_x) {
    for (long i = 0; i < n; ++i) value[i] = logistic_term(x[i], 1, eta[i], slope + i);
  } else {
    for (long i = 0; i < n; ++i) {
      value[i] = logistic_term(
          x[i * stride_x], trials ? trials[i * stride_trials] : 1, eta[i], slope + i);
    }
  }
  return ss_sum(value, n);
}

SS_CLONES double ss_poisson_terms(
    const double *restrict x, long stride_x, const double *restrict eta, double *restrict value,
    double *restrict slope, long n) {
  if (stride_x) {
    for (long i = 0; i < n; ++i) value[i] = poisson_term(x[i], eta[i], slope + i);
  } else {
    for (long i = 0; i < n; ++i) value[i] = poisson_term(x[0], eta[i], slope + i);
  }
  return ss_sum(value, n);
}

/// The loop of `ss_normal_fixed` with constant strides.
SS_INLINE double fixed(
    const double *restrict x, long stride_x, const double *restrict loc, long stride_loc,
    const double *restrict inverse, long stride_inverse, long n) {
  sums s = {0};
  double rest = 0;
  long i = 0;
#define BLOCK(I, PART)                                                                   \
  {                                                                                      \
    const four z = (LOAD(x + (I) * stride_x, stride_x)                                   \
        - LOAD(loc + (I) * stride_loc, stride_loc))                                      \
        * LOAD(inverse + (I) * stride_inverse, stride_inverse);                          \
    s.part[PART] += z * z;                                                               \
  }
#define SINGLE(I)                                                                                   \
  const double z = (x[(I) * stride_x] - loc[(I) * stride_loc]) * inverse[(I) * stride_inverse];     \
  rest += z * z;
  IN_FOURS(BLOCK, SINGLE)
#undef BLOCK
#undef SINGLE
  return total(&s) + rest;
}

SS_CLONES double ss_normal_fixed(
    const double *restrict x, long stride_x, const double *restrict loc, long stride_loc,
    const double *restrict inverse, long stride_inverse, long n) {
#define CASE(P, Q, R) return fixed(x, P, loc, Q, inverse, R, n)
  FOR_STRIDES(stride_x, stride_loc, stride_inverse, CASE)
#undef CASE
  return 0;
}

SS_CLONES void ss_add_normal_fixed(
    double factor, const double *restrict x, long stride_x, const double *restrict loc,
    long stride_loc, const double *restrict inverse, long stride_inverse, double *restrict y,
    long stride_y, long n) {
  if (stride_y) {
#define LOOP(P, Q, R)                                                           \
  for (long i = 0; i < n; ++i)                                                  \
    y[i] += factor * (x[i * P] - loc[i * Q]) * (inverse[i * R] * inverse[i * R])
    FOR_STRIDES(stride_x, stride_loc, stride_inverse, LOOP)
#undef LOOP
    return;
  }
  sums s = {0};
  double rest = 0;
  long i = 0;
#define BLOCK(I, PART)                                                                        \
  {                                                                                           \
    const four w = LOAD(inverse + (I) * stride_inverse, stride_inverse);                      \
    s.part[PART] += (LOAD(x + (I) * stride_x, stride_x)                                       \
        - LOAD(loc + (I) * stride_loc, stride_loc)) * (w * w);                                \
  }
#define SINGLE(I)                                            \
  const double w = inverse[(I) * stride_inverse];            \
  rest += (x[(I) * stride_x] - loc[(I) * stride_loc]) * (w * w);
  IN_FOURS(BLOCK, SINGLE)
#undef BLOCK
#undef SINGLE
  y[0] += factor * (total(&s) + rest);
}

SS_CLONES void ss_columns_times_vector(
    const double *restrict columns, long rows, long count, const double *restrict x,
    double *restrict out) {
  long j = 0;
  if (count >= 4) {
    const double *a = columns;
    for (long i = 0; i < rows; ++i)
      out[i] = (x[0] * a[i] + x[1] * a[rows + i]) + (x[2] * a[2 * rows + i] + x[3] * a[3 * rows + i]);
    j = 4;
  } else {
    for (long i = 0; i < rows; ++i) out[i] = 0;
  }
  for (; j + 4 <= count; j += 4) {
    const double *a = columns + j * rows;
    for (long i = 0; i < rows; ++i)
      out[i] += (x[j] * a[i] + x[j + 1] * a[rows + i])
          + (x[j + 2] * a[2 * rows + i] + x[j + 3] * a[3 * rows + i]);
  }
  for (; j < count; ++j) {
    const double *a = columns + j * rows;
    for (long i = 0; i < rows; ++i) out[i] += x[j] * a[i];
  }
}

SS_CLONES void ss_columns_dot_vector(
    const double *restrict columns, long rows, long count, const double *restrict y,
    double *restrict out) {
  long j = 0;
  for (; j + 4 <= count; j += 4) {
    const double *a = columns + j * rows, *b = a + rows, *c = b + rows, *d = c + rows;
    four s[8] = {0};
    long i = 0;
    for (; i + 8 <= rows; i += 8) {
      const four u = LOAD(y + i, 1), v = LOAD(y + i + 4, 1);
      s[0] += LOAD(a + i, 1) * u;
      s[1] += LOAD(b + i, 1) * u;
      s[2] += LOAD(c + i, 1) * u;
      s[3] += LOAD(d + i, 1) * u;
      s[4] += LOAD(a + i + 4, 1) * v;
      s[5] += LOAD(b + i + 4, 1) * v;
      s[6] += LOAD(c + i + 4, 1) * v;
      s[7] += LOAD(d + i + 4, 1) * v;
    }
    double rest[4] = {0};
    for (; i < rows; ++i) {
      rest[0] += a[i] * y[i];
      rest[1] += b[i] * y[i];
      rest[2] += c[i] * y[i];
      rest[3] += d[i] * y[i];
    }
    for (int k = 0; k < 4; ++k) {
      const four sum = s[k] + s[k + 4];
      out[j + k] += ((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest[k];
    }
  }
  for (; j < count; ++j) out[j] += ss_dot(columns + j * rows, y, rows);
}
