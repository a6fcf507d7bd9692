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

CLONES void sersic_lookup_row(
    const sersic_slice *slice, long count, const double *restrict k, double p0, double p1,
    double q0, double q1, double offset, double *restrict f, double *restrict fv,
    double *restrict fn) {
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
}

CLONES void sersic_spectrum_row(
    long count, const double *restrict f, double row_re, double row_im,
    const double *restrict column_re, const double *restrict column_im,
    const double *restrict psf_re, const double *restrict psf_im, int add,
    double *restrict spectrum) {
  const double keep = add ? 1 : 0;
  for (long i = 0; i < count; ++i) {
    const double a = f[i] * (row_re * column_re[i] - row_im * column_im[i]);
    const double b = f[i] * (row_re * column_im[i] + row_im * column_re[i]);
    const double re = a * psf_re[i] - b * psf_im[i];
    const double im = a * psf_im[i] + b * psf_re[i];
    spectrum[2 * i] = keep * spectrum[2 * i] + re;
    spectrum[2 * i + 1] = keep * spectrum[2 * i + 1] + im;
  }
}

CLONES void sersic_tangent_row(
    long count, const double *restrict f, const double *restrict fv, const double *restrict fn,
    const double *restrict k, const double *restrict c, double row_re, double row_im,
    const double *restrict column_re, const double *restrict column_im,
    const double *restrict psf_re, const double *restrict psf_im, int add,
    double *restrict spectrum) {
  const double keep = add ? 1 : 0;
  for (long i = 0; i < count; ++i) {
    const double g_re = c[0] * f[i] + (c[1] + k[i] * (c[2] + k[i] * c[3])) * fv[i] + c[4] * fn[i];
    const double g_im = -(c[5] + c[6] * k[i]) * f[i];
    const double u = row_re * column_re[i] - row_im * column_im[i];
    const double w = row_re * column_im[i] + row_im * column_re[i];
    const double a = g_re * u - g_im * w;
    const double b = g_re * w + g_im * u;
    const double re = a * psf_re[i] - b * psf_im[i];
    const double im = a * psf_im[i] + b * psf_re[i];
    spectrum[2 * i] = keep * spectrum[2 * i] + re;
    spectrum[2 * i + 1] = keep * spectrum[2 * i + 1] + im;
  }
}

/// The sums of one frequency are kept in this many lanes.
enum { LANES = 4 };

CLONES void sersic_reduce_row(
    long count, const double *restrict adjoint, const double *restrict f,
    const double *restrict fv, const double *restrict fn, const double *restrict k,
    const double *restrict w, double row_re, double row_im, const double *restrict column_re,
    const double *restrict column_im, const double *restrict psf_re,
    const double *restrict psf_im, double *restrict out) {
  double sums[7][LANES] = {{0}};
  for (long i = 0; i < count; i += LANES) {
    const long lanes = count - i < LANES ? count - i : LANES;
    if (lanes == LANES) {
      for (int j = 0; j < LANES; ++j) {
        const long l = i + j;
        const double u = row_re * column_re[l] - row_im * column_im[l];
        const double v = row_re * column_im[l] + row_im * column_re[l];
        const double a = u * psf_re[l] - v * psf_im[l];
        const double b = u * psf_im[l] + v * psf_re[l];
        const double re = w[l] * (adjoint[2 * l] * a + adjoint[2 * l + 1] * b);
        const double im = w[l] * (adjoint[2 * l] * b - adjoint[2 * l + 1] * a);
        const double slope = fv[l] * re;
        sums[0][j] += f[l] * re;
        sums[1][j] += f[l] * im;
        sums[2][j] += k[l] * f[l] * im;
        sums[3][j] += slope;
        sums[4][j] += k[l] * slope;
        sums[5][j] += k[l] * k[l] * slope;
        sums[6][j] += fn[l] * re;
      }
      continue;
    }
    for (int j = 0; j < lanes; ++j) {
      const long l = i + j;
      const double u = row_re * column_re[l] - row_im * column_im[l];
      const double v = row_re * column_im[l] + row_im * column_re[l];
      const double a = u * psf_re[l] - v * psf_im[l];
      const double b = u * psf_im[l] + v * psf_re[l];
      const double re = w[l] * (adjoint[2 * l] * a + adjoint[2 * l + 1] * b);
      const double im = w[l] * (adjoint[2 * l] * b - adjoint[2 * l + 1] * a);
      const double slope = fv[l] * re;
      sums[0][j] += f[l] * re;
      sums[1][j] += f[l] * im;
      sums[2][j] += k[l] * f[l] * im;
      sums[3][j] += slope;
      sums[4][j] += k[l] * slope;
      sums[5][j] += k[l] * k[l] * slope;
      sums[6][j] += fn[l] * re;
    }
  }
  for (int s = 0; s < 7; ++s) {
    out[s] += (sums[s][0] + sums[s][1]) + (sums[s][2] + sums[s][3]);
  }
}

CLONES void sersic_copies(
    const sersic_slice *slice, long count, const double *restrict copies,
    const double *restrict form, const double *restrict c, long nx, const double *restrict x,
    long ny, const double *restrict y, double *restrict values) {
  for (long i = 0; i < count; ++i) {
    for (long row = 0; row < ny; ++row) {
      const double dy = y[row] - copies[2 * i + 1];
      const double slope0 = c[2] * dy + c[5] * dy * dy;
      const double slope1 = c[1] + c[4] * dy;
      for (long column = 0; column < nx; ++column) {
        const double dx = x[column] - copies[2 * i];
        const double u = dx * (form[0] * dx + 2 * form[1] * dy) + form[2] * dy * dy;
        const place at = find(slice, u);
        const double *a = at.c;
        const double t = at.t;
        const double g = a[0] + t * (a[1] + t * (a[2] + t * a[3]));
        const double gu = (a[1] + t * (2 * a[2] + t * (3 * a[3]))) * at.inverse;
        const double gn = a[4] + t * (a[5] + t * (a[6] + t * a[7]));
        values[row * nx + column] +=
            c[0] * g + (slope0 + dx * (slope1 + c[3] * dx)) * gu + c[6] * gn;
      }
    }
  }
}

CLONES void sersic_copies_adjoint(
    const sersic_slice *slice, long count, const double *restrict copies,
    const double *restrict form, long nx, const double *restrict x, long ny,
    const double *restrict y, const double *restrict adjoint, double *restrict out) {
  for (long i = 0; i < count; ++i) {
    for (long row = 0; row < ny; ++row) {
      const double dy = y[row] - copies[2 * i + 1];
      double sum[5] = {0};
      for (long column = 0; column < nx; ++column) {
        const double dx = x[column] - copies[2 * i];
        const double u = dx * (form[0] * dx + 2 * form[1] * dy) + form[2] * dy * dy;
        const place at = find(slice, u);
        const double *a = at.c;
        const double t = at.t;
        const double weight = adjoint[row * nx + column];
        const double gu = weight * (a[1] + t * (2 * a[2] + t * (3 * a[3]))) * at.inverse;
        sum[0] += weight * (a[0] + t * (a[1] + t * (a[2] + t * a[3])));
        sum[1] += gu;
        sum[2] += gu * dx;
        sum[3] += gu * dx * dx;
        sum[4] += weight * (a[4] + t * (a[5] + t * (a[6] + t * a[7])));
      }
      out[0] += sum[0];
      out[1] += sum[2];
      out[2] += sum[1] * dy;
      out[3] += sum[3];
      out[4] += sum[2] * dy;
      out[5] += sum[1] * dy * dy;
      out[6] += sum[4];
    }
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
  for (long i = 0; i < rows; ++i) {
    double *out = c + i * c_stride;
    long l = 0;
    for (; l + 4 <= inner; l += 4) {
      const double a0 = factor * a[i * inner + l];
      const double a1 = factor * a[i * inner + l + 1];
      const double a2 = factor * a[i * inner + l + 2];
      const double a3 = factor * a[i * inner + l + 3];
      const double *b0 = b + l * b_stride;
      const double *b1 = b0 + b_stride;
      const double *b2 = b1 + b_stride;
      const double *b3 = b2 + b_stride;
      for (long j = 0; j < columns; ++j) {
        out[j] += (a0 * b0[j] + a1 * b1[j]) + (a2 * b2[j] + a3 * b3[j]);
      }
    }
    for (; l < inner; ++l) {
      const double a0 = factor * a[i * inner + l];
      for (long j = 0; j < columns; ++j) out[j] += a0 * b[l * b_stride + j];
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
