// SPDX-License-Identifier: MIT
//
// The Fourier renderer's loops over periodic copies, band edges and small products. Priorities as for rows: 1 speed;
// 2 a fixed order of summation; 3 the last bits.

#include "copy_kernels.h"

#include "slice_lookup.h"

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

/// Eight numbers of a row: two vectors with AVX2, so that sums have one order everywhere.
typedef double eight __attribute__((vector_size(64), aligned(8)));

/// Returns the sum of eight numbers.
INLINE double sum_of_eight(const eight *x) {
  const eight s = *x;
  return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

CLONES void sersic_project_rows(
    long rows, long inner, long columns, double factor, const double *restrict a, long a_stride,
    const double *restrict b, long b_stride, double *restrict c) {
  for (long i = 0; i < rows; ++i) {
    const double *row = a + i * a_stride;
    double *out = c + i * columns;
    long j = 0;
    for (; j + 4 <= columns; j += 4) {
      // The sums of four columns: enough that no addition waits for the one before.
      eight sums[4] = {{0}};
      long l = 0;
      for (; l + 8 <= inner; l += 8) {
        eight x;
        memcpy(&x, row + l, 64);
#pragma clang loop unroll(full)
        for (int k = 0; k < 4; ++k) {
          eight y;
          memcpy(&y, b + (j + k) * b_stride + l, 64);
          sums[k] += x * y;
        }
      }
#pragma clang loop unroll(full)
      for (int k = 0; k < 4; ++k) {
        double sum = sum_of_eight(&sums[k]);
        for (long m = l; m < inner; ++m) sum += row[m] * b[(j + k) * b_stride + m];
        out[j + k] += factor * sum;
      }
    }
    for (; j < columns; ++j) {
      eight sums = {0};
      long l = 0;
      for (; l + 8 <= inner; l += 8) {
        eight x, y;
        memcpy(&x, row + l, 64);
        memcpy(&y, b + j * b_stride + l, 64);
        sums += x * y;
      }
      double sum = sum_of_eight(&sums);
      for (; l < inner; ++l) sum += row[l] * b[j * b_stride + l];
      out[j] += factor * sum;
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
