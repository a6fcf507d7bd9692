// SPDX-License-Identifier: MIT
//
// The Fourier renderer's loops over the rows of a spectrum. Priorities: 1 speed; 2 a fixed order of summation; 3 the last bits.

#include "render_kernels.h"

#include "slice_lookup.h"

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

CLONES void sersic_add_complex_product(
    long count, double factor, const double *restrict a, const double *restrict b,
    double *restrict c) {
  for (long i = 0; i < count; ++i) {
    const double re = factor * a[2 * i], im = factor * a[2 * i + 1];
    c[2 * i] += re * b[2 * i] - im * b[2 * i + 1];
    c[2 * i + 1] += re * b[2 * i + 1] + im * b[2 * i];
  }
}

CLONES double sersic_triple_product(
    long rows, long columns, const double *restrict a, const double *restrict b,
    const double *restrict c) {
  double sum = 0;
  for (long row = 0; row < rows; ++row) {
    const double *p = a + 2 * row * columns, *q = b + 2 * row * columns, *r = c + 2 * row * columns;
    double line = 0, ends = 0;
    for (long i = 0; i < columns; ++i) {
      const double re = p[2 * i] * q[2 * i] - p[2 * i + 1] * q[2 * i + 1];
      const double im = p[2 * i] * q[2 * i + 1] + p[2 * i + 1] * q[2 * i];
      const double term = re * r[2 * i] + im * r[2 * i + 1];
      line += term;
      if (i == 0 || i == columns - 1) ends += term;
    }
    sum += 2 * line - ends;
  }
  return sum;
}
