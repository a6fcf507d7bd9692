// SPDX-License-Identifier: MIT
//
// The loops of the Fourier renderer. Priorities: 1 speed; 2 a fixed order of summation; 3 the last bits.

#include "render_kernels.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

CLONES void sersic_mellin_sums(
    long count, const double *restrict weights, const double *restrict cosines,
    const double *restrict sines, double *restrict out) {
  double sums[8] = {0};
  for (long i = 0; i < count; ++i) {
    for (int j = 0; j < 4; ++j) sums[j] += weights[8 * i + j] * cosines[i];
    for (int j = 4; j < 8; ++j) sums[j] += weights[8 * i + j] * sines[i];
  }
  for (int j = 0; j < 4; ++j) out[j] = sums[j] + sums[j + 4];
}

CLONES void sersic_make_slice(
    const double *restrict columns, long stride, const double *restrict weights,
    const double *restrict widths, long first, long count, double *restrict out) {
  double previous[4] = {0};
  for (long i = first; i <= first + count; ++i) {
    double knot[4] = {0};
    for (int c = 0; c < 4; ++c) {
      const double *a = columns + c * stride + 4 * i;
      knot[0] += weights[2 * c] * a[0] + weights[2 * c + 1] * a[2];
      knot[1] += weights[2 * c] * a[1] + weights[2 * c + 1] * a[3];
      knot[2] += weights[8 + 2 * c] * a[0] + weights[9 + 2 * c] * a[2];
      knot[3] += weights[8 + 2 * c] * a[1] + weights[9 + 2 * c] * a[3];
    }
    if (i > first) {
      const double h = widths[i - 1];
      double *c = out + 8 * (i - 1);
      for (int j = 0; j < 2; ++j) {
        const double rise = knot[2 * j] - previous[2 * j];
        const double m0 = previous[2 * j + 1] * h;
        const double m1 = knot[2 * j + 1] * h;
        c[4 * j] = previous[2 * j];
        c[4 * j + 1] = m0;
        c[4 * j + 2] = 3 * rise - 2 * m0 - m1;
        c[4 * j + 3] = m0 + m1 - 2 * rise;
      }
    }
    memcpy(previous, knot, sizeof previous);
  }
}

/// The place of a number in a slice: its interval, the fraction t of it, the inverse of the interval's length.
typedef struct {
  const double *c;
  double t, inverse;
} place;

/// Returns where v lies, from its bits.
INLINE place find(const sersic_slice *slice, double v) {
  uint64_t bits;
  v = v < slice->largest ? v : slice->largest;
  memcpy(&bits, &v, sizeof bits);
  const uint64_t fraction = ((bits & 0x0000FFFFFFFFFFFFu) << 4) | 0x3FF0000000000000u;
  // 2^(4 - e) has the exponent field 2046 + 4 - E.
  const uint64_t inverse = (2050ull << 52) - (bits & 0x7FF0000000000000u);
  place p;
  memcpy(&p.t, &fraction, sizeof fraction);
  memcpy(&p.inverse, &inverse, sizeof inverse);
  p.t -= 1;
  p.c = slice->coefficients + 8 * ((long)(bits >> 48) - slice->first);
  return p;
}

typedef double four __attribute__((vector_size(32), aligned(8)));
typedef uint64_t four_bits __attribute__((vector_size(32)));

/// The cubics of four places: coefficients of the function and of its derivative by n, transposed; t; inverse lengths.
typedef struct {
  four c0, c1, c2, c3, d0, d1, d2, d3, t, inverse;
} four_places;

/// Sets rows a, b, c, d to their transposed columns.
INLINE void transpose(four *a, four *b, four *c, four *d) {
  const four ab_low = __builtin_shufflevector(*a, *b, 0, 4, 2, 6);
  const four ab_high = __builtin_shufflevector(*a, *b, 1, 5, 3, 7);
  const four cd_low = __builtin_shufflevector(*c, *d, 0, 4, 2, 6);
  const four cd_high = __builtin_shufflevector(*c, *d, 1, 5, 3, 7);
  *a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  *b = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  *c = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  *d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/// Finds four places at once.
INLINE void find_four(const sersic_slice *slice, const four *v, four_places *p) {
  const four largest = {slice->largest, slice->largest, slice->largest, slice->largest};
  const four at = __builtin_elementwise_min(*v, largest);
  four_bits bits;
  memcpy(&bits, &at, sizeof bits);
  const four_bits fraction = ((bits & 0x0000FFFFFFFFFFFFu) << 4) | 0x3FF0000000000000u;
  const four_bits inverse = (2050ull << 52) - (bits & 0x7FF0000000000000u);
  memcpy(&p->t, &fraction, sizeof fraction);
  memcpy(&p->inverse, &inverse, sizeof inverse);
  p->t -= 1;
  const four_bits index = bits >> 48;
  const double *base = slice->coefficients - 8 * slice->first;
  const double *q0 = base + 8 * index[0];
  const double *q1 = base + 8 * index[1];
  const double *q2 = base + 8 * index[2];
  const double *q3 = base + 8 * index[3];
  memcpy(&p->c0, q0, 32);
  memcpy(&p->c1, q1, 32);
  memcpy(&p->c2, q2, 32);
  memcpy(&p->c3, q3, 32);
  transpose(&p->c0, &p->c1, &p->c2, &p->c3);
  memcpy(&p->d0, q0 + 4, 32);
  memcpy(&p->d1, q1 + 4, 32);
  memcpy(&p->d2, q2 + 4, 32);
  memcpy(&p->d3, q3 + 4, 32);
  transpose(&p->d0, &p->d1, &p->d2, &p->d3);
}

CLONES void sersic_lookup_row(
    const sersic_slice *slice, long count, const double *restrict k, double p0, double p1,
    double q0, double q1, double offset, double *restrict f, double *restrict fv,
    double *restrict fn) {
  if (count < 4) {
    for (long i = 0; i < count; ++i) {
      const double p = p0 + p1 * k[i];
      const double q = q0 + q1 * k[i];
      const place at = find(slice, p * p + (q * q + offset));
      const double *c = at.c;
      const double t = at.t;
      f[i] = c[0] + t * (c[1] + t * (c[2] + t * c[3]));
      fv[i] = (c[1] + t * (2 * c[2] + t * (3 * c[3]))) * at.inverse;
      fn[i] = c[4] + t * (c[5] + t * (c[6] + t * c[7]));
    }
    return;
  }
  for (long block = 0; block < count; block += 4) {
    // The last four overlap those before, which are set twice.
    const long i = block + 4 <= count ? block : count - 4;
    four x;
    memcpy(&x, k + i, 32);
    const four p = p0 + p1 * x;
    const four q = q0 + q1 * x;
    const four v = p * p + (q * q + offset);
    four_places at;
    find_four(slice, &v, &at);
    const four t = at.t;
    const four value = at.c0 + t * (at.c1 + t * (at.c2 + t * at.c3));
    const four slope = (at.c1 + t * (2 * at.c2 + t * (3 * at.c3))) * at.inverse;
    const four by_n = at.d0 + t * (at.d1 + t * (at.d2 + t * at.d3));
    memcpy(f + i, &value, 32);
    memcpy(fv + i, &slope, 32);
    memcpy(fn + i, &by_n, 32);
  }
}

CLONES void sersic_spectrum_row(
    long count, const double *restrict f, double row_re, double row_im,
    const double *restrict column_re, const double *restrict column_im,
    const double *restrict psf_re, const double *restrict psf_im, int add,
    double *restrict spectrum) {
  if (!add) memset(spectrum, 0, 2 * (unsigned long)count * sizeof *spectrum);
  for (long i = 0; i < count; ++i) {
    const double a = f[i] * (row_re * column_re[i] - row_im * column_im[i]);
    const double b = f[i] * (row_re * column_im[i] + row_im * column_re[i]);
    spectrum[2 * i] += a * psf_re[i] - b * psf_im[i];
    spectrum[2 * i + 1] += a * psf_im[i] + b * psf_re[i];
  }
}

CLONES void sersic_tangent_row(
    long count, const double *restrict f, const double *restrict fv, const double *restrict fn,
    const double *restrict k, const double *restrict c, double row_re, double row_im,
    const double *restrict column_re, const double *restrict column_im,
    const double *restrict psf_re, const double *restrict psf_im, int add,
    double *restrict spectrum) {
  if (!add) memset(spectrum, 0, 2 * (unsigned long)count * sizeof *spectrum);
  for (long i = 0; i < count; ++i) {
    const double g_re = c[0] * f[i] + (c[1] + k[i] * (c[2] + k[i] * c[3])) * fv[i] + c[4] * fn[i];
    const double g_im = -(c[5] + c[6] * k[i]) * f[i];
    const double u = row_re * column_re[i] - row_im * column_im[i];
    const double w = row_re * column_im[i] + row_im * column_re[i];
    const double a = g_re * u - g_im * w;
    const double b = g_re * w + g_im * u;
    spectrum[2 * i] += a * psf_re[i] - b * psf_im[i];
    spectrum[2 * i + 1] += a * psf_im[i] + b * psf_re[i];
  }
}

CLONES void sersic_reduce_row(
    long count, const double *restrict adjoint, const double *restrict f,
    const double *restrict fv, const double *restrict fn, const double *restrict k,
    const double *restrict w, double row_re, double row_im, const double *restrict column_re,
    const double *restrict column_im, const double *restrict psf_re,
    const double *restrict psf_im, double *restrict out) {
  four sums[7];
  memset(sums, 0, sizeof sums);
  for (long block = 0; block < count; block += 4) {
    // The last four overlap those before, whose weights are then zero; count >= 4.
    const long i = block + 4 <= count ? block : count - 4;
    four weight, low, high, kx, c_re, c_im, p_re, p_im, value, slope, by_n;
    memcpy(&weight, w + i, 32);
    for (long l = 0; l < block - i; ++l) weight[l] = 0;
    memcpy(&low, adjoint + 2 * i, 32);
    memcpy(&high, adjoint + 2 * i + 4, 32);
    memcpy(&kx, k + i, 32);
    memcpy(&c_re, column_re + i, 32);
    memcpy(&c_im, column_im + i, 32);
    memcpy(&p_re, psf_re + i, 32);
    memcpy(&p_im, psf_im + i, 32);
    memcpy(&value, f + i, 32);
    memcpy(&slope, fv + i, 32);
    memcpy(&by_n, fn + i, 32);
    const four adjoint_re = weight * __builtin_shufflevector(low, high, 0, 2, 4, 6);
    const four adjoint_im = weight * __builtin_shufflevector(low, high, 1, 3, 5, 7);
    const four u = row_re * c_re - row_im * c_im;
    const four v = row_re * c_im + row_im * c_re;
    const four a = u * p_re - v * p_im;
    const four b = u * p_im + v * p_re;
    const four re = adjoint_re * a + adjoint_im * b;
    const four im = value * (adjoint_re * b - adjoint_im * a);
    const four moment = slope * re;
    const four first = kx * moment;
    sums[0] += value * re;
    sums[1] += im;
    sums[2] += kx * im;
    sums[3] += moment;
    sums[4] += first;
    sums[5] += kx * first;
    sums[6] += by_n * re;
  }
  for (int s = 0; s < 7; ++s) {
    out[s] += (sums[s][0] + sums[s][1]) + (sums[s][2] + sums[s][3]);
  }
}

CLONES void sersic_copies(
    const sersic_slice *slice, long count, const double *restrict copies,
    const double *restrict form, const double *restrict c, long nodes, const double *restrict x,
    const double *restrict y, double *restrict values) {
  for (long i = 0; i < count; ++i) {
    for (long node = 0; node < nodes; node += 4) {
      four dx, dy, sum;
      memcpy(&dx, x + node, 32);
      memcpy(&dy, y + node, 32);
      memcpy(&sum, values + node, 32);
      dx -= copies[2 * i];
      dy -= copies[2 * i + 1];
      const four u = dx * (form[0] * dx + 2 * form[1] * dy) + form[2] * dy * dy;
      four_places at;
      find_four(slice, &u, &at);
      const four t = at.t;
      const four g = at.c0 + t * (at.c1 + t * (at.c2 + t * at.c3));
      const four gu = (at.c1 + t * (2 * at.c2 + t * (3 * at.c3))) * at.inverse;
      const four gn = at.d0 + t * (at.d1 + t * (at.d2 + t * at.d3));
      sum += c[0] * g
          + (dx * (c[1] + c[3] * dx + c[4] * dy) + dy * (c[2] + c[5] * dy)) * gu + c[6] * gn;
      memcpy(values + node, &sum, 32);
    }
  }
}

CLONES void sersic_copies_adjoint(
    const sersic_slice *slice, long count, const double *restrict copies,
    const double *restrict form, long nodes, const double *restrict x,
    const double *restrict y, const double *restrict adjoint, double *restrict out) {
  four sums[7];
  memset(sums, 0, sizeof sums);
  for (long i = 0; i < count; ++i) {
    for (long node = 0; node < nodes; node += 4) {
      four dx, dy, weight;
      memcpy(&dx, x + node, 32);
      memcpy(&dy, y + node, 32);
      memcpy(&weight, adjoint + node, 32);
      dx -= copies[2 * i];
      dy -= copies[2 * i + 1];
      const four u = dx * (form[0] * dx + 2 * form[1] * dy) + form[2] * dy * dy;
      four_places at;
      find_four(slice, &u, &at);
      const four t = at.t;
      const four gu = weight * (at.c1 + t * (2 * at.c2 + t * (3 * at.c3))) * at.inverse;
      const four gx = gu * dx;
      const four gy = gu * dy;
      sums[0] += weight * (at.c0 + t * (at.c1 + t * (at.c2 + t * at.c3)));
      sums[1] += gx;
      sums[2] += gy;
      sums[3] += gx * dx;
      sums[4] += gx * dy;
      sums[5] += gy * dy;
      sums[6] += weight * (at.d0 + t * (at.d1 + t * (at.d2 + t * at.d3)));
    }
  }
  for (int s = 0; s < 7; ++s) {
    out[s] += (sums[s][0] + sums[s][1]) + (sums[s][2] + sums[s][3]);
  }
}

CLONES void sersic_edges(
    long count, const sersic_edge *restrict entries, const double *restrict f,
    const double *restrict fv, const double *restrict fn, const double *restrict c,
    const double *restrict column_re, const double *restrict column_im,
    const double *restrict row_re, const double *restrict row_im, double *restrict bins) {
  for (long i = 0; i < count; ++i) {
    const sersic_edge *e = entries + i;
    const long at = e->frequency;
    const double form = c[1] * e->kx * e->kx + c[2] * e->kx * e->ky + c[3] * e->ky * e->ky;
    const double g_re = c[0] * f[at] + form * fv[at] + c[4] * fn[at];
    const double g_im = -(c[5] * e->px + c[6] * e->py) * f[at];
    const double u = row_re[e->row] * column_re[e->column] - row_im[e->row] * column_im[e->column];
    const double v = row_re[e->row] * column_im[e->column] + row_im[e->row] * column_re[e->column];
    const double a = u * e->re - v * e->im;
    const double b = u * e->im + v * e->re;
    bins[2 * e->bin] += g_re * a - g_im * b;
    bins[2 * e->bin + 1] += e->sign * (g_re * b + g_im * a);
  }
}

CLONES void sersic_edges_adjoint(
    long count, const sersic_edge *restrict entries, const double *restrict f,
    const double *restrict fv, const double *restrict fn, const double *restrict column_re,
    const double *restrict column_im, const double *restrict row_re,
    const double *restrict row_im, const double *restrict bins, double *restrict out) {
  double sums[7] = {0};
  for (long i = 0; i < count; ++i) {
    const sersic_edge *e = entries + i;
    const long at = e->frequency;
    const double u = row_re[e->row] * column_re[e->column] - row_im[e->row] * column_im[e->column];
    const double v = row_re[e->row] * column_im[e->column] + row_im[e->row] * column_re[e->column];
    const double a = u * e->re - v * e->im;
    const double b = u * e->im + v * e->re;
    const double bin_re = bins[2 * e->bin];
    const double bin_im = e->sign * bins[2 * e->bin + 1];
    const double re = bin_re * a + bin_im * b;
    const double im = bin_re * b - bin_im * a;
    sums[0] += f[at] * re;
    sums[1] += fv[at] * re * e->kx * e->kx;
    sums[2] += fv[at] * re * e->kx * e->ky;
    sums[3] += fv[at] * re * e->ky * e->ky;
    sums[4] += fn[at] * re;
    sums[5] += f[at] * im * e->px;
    sums[6] += f[at] * im * e->py;
  }
  for (int j = 0; j < 7; ++j) out[j] += sums[j];
}

CLONES void sersic_multiply_add(
    long rows, long inner, long columns, double factor, const double *restrict a,
    const double *restrict b, long b_stride, double *restrict c, long c_stride) {
  long i = 0;
  for (; i + 2 <= rows; i += 2) {
    double *out0 = c + i * c_stride;
    double *out1 = out0 + c_stride;
    const double *a0 = a + i * inner;
    const double *a1 = a0 + inner;
    long l = 0;
    for (; l + 4 <= inner; l += 4) {
      const double p0 = factor * a0[l], p1 = factor * a0[l + 1];
      const double p2 = factor * a0[l + 2], p3 = factor * a0[l + 3];
      const double q0 = factor * a1[l], q1 = factor * a1[l + 1];
      const double q2 = factor * a1[l + 2], q3 = factor * a1[l + 3];
      const double *b0 = b + l * b_stride;
      const double *b1 = b0 + b_stride;
      const double *b2 = b1 + b_stride;
      const double *b3 = b2 + b_stride;
#pragma clang loop vectorize(assume_safety)
      for (long j = 0; j < columns; ++j) {
        out0[j] += (p0 * b0[j] + p1 * b1[j]) + (p2 * b2[j] + p3 * b3[j]);
        out1[j] += (q0 * b0[j] + q1 * b1[j]) + (q2 * b2[j] + q3 * b3[j]);
      }
    }
    for (; l < inner; ++l) {
      const double p = factor * a0[l];
      const double q = factor * a1[l];
      const double *b0 = b + l * b_stride;
#pragma clang loop vectorize(assume_safety)
      for (long j = 0; j < columns; ++j) {
        out0[j] += p * b0[j];
        out1[j] += q * b0[j];
      }
    }
  }
  for (; i < rows; ++i) {
    for (long l = 0; l < inner; ++l) {
      const double p = factor * a[i * inner + l];
      for (long j = 0; j < columns; ++j) c[i * c_stride + j] += p * b[l * b_stride + j];
    }
  }
}

CLONES void sersic_project_rows(
    long rows, long inner, long columns, double factor, const double *restrict a,
    const double *restrict b, double *restrict c) {
  for (long i = 0; i < rows; ++i) {
    const double *row = a + i * inner;
    long j = 0;
    for (; j + 2 <= columns; j += 2) {
      const double *b0 = b + j * inner;
      const double *b1 = b0 + inner;
      double s0[8] = {0};
      double s1[8] = {0};
      long l = 0;
      for (; l + 8 <= inner; l += 8) {
        for (int k = 0; k < 8; ++k) s0[k] += row[l + k] * b0[l + k];
        for (int k = 0; k < 8; ++k) s1[k] += row[l + k] * b1[l + k];
      }
      for (; l < inner; ++l) {
        s0[0] += row[l] * b0[l];
        s1[0] += row[l] * b1[l];
      }
      c[i * columns + j] += factor
          * (((s0[0] + s0[4]) + (s0[1] + s0[5])) + ((s0[2] + s0[6]) + (s0[3] + s0[7])));
      c[i * columns + j + 1] += factor
          * (((s1[0] + s1[4]) + (s1[1] + s1[5])) + ((s1[2] + s1[6]) + (s1[3] + s1[7])));
    }
    for (; j < columns; ++j) {
      double sum = 0;
      for (long l = 0; l < inner; ++l) sum += row[l] * b[j * inner + l];
      c[i * columns + j] += factor * sum;
    }
  }
}

CLONES void sersic_multiply_add_transposed(
    long rows, long inner, long columns, double factor, const double *restrict a,
    const double *restrict b, long b_stride, double *restrict c, long c_stride) {
  long l = 0;
  for (; l + 4 <= inner; l += 4) {
    const double *b0 = b + l * b_stride;
    const double *b1 = b0 + b_stride;
    const double *b2 = b1 + b_stride;
    const double *b3 = b2 + b_stride;
    for (long i = 0; i < rows; ++i) {
      double *out = c + i * c_stride;
      const double a0 = factor * a[l * rows + i];
      const double a1 = factor * a[(l + 1) * rows + i];
      const double a2 = factor * a[(l + 2) * rows + i];
      const double a3 = factor * a[(l + 3) * rows + i];
      for (long j = 0; j < columns; ++j) {
        out[j] += (a0 * b0[j] + a1 * b1[j]) + (a2 * b2[j] + a3 * b3[j]);
      }
    }
  }
  for (; l < inner; ++l) {
    for (long i = 0; i < rows; ++i) {
      const double a0 = factor * a[l * rows + i];
      for (long j = 0; j < columns; ++j) c[i * c_stride + j] += a0 * b[l * b_stride + j];
    }
  }
}
