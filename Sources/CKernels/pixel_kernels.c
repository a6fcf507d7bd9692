// SPDX-License-Identifier: MIT
//
// Integrals of a radial profile along the lines of a pixel grid. Priorities: 1 right at the cusp and for an edge through
// the centre; 2 absolute error below 1e-13 of the flux; 3 speed.

#include "pixel_kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "gauss_legendre.h"

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

// On an edge the integrands are analytic in t but for branch points at t = +- i D, where rho = 0 (and a decay that is as
// sharp as n is small). An m-point Gauss rule errs by B^(-2m), B = 4 R min(1, n) for an edge at R lengths from the centre
// (Bernstein's ellipse through the branch points). Closer than NEAR lengths we put t = D sinh s: the branch points go to
// s = +- i pi / 2 whatever D is, and panels of 1.5 min(1, n) with 12 nodes err by (2 pi / 1.5)^(-24) = 1e-15.

/// The distance, in edge lengths over min(1, n), below which the substituted rule is used.
static const double NEAR = 3;

/// The width in s of a panel of the substituted rule, over min(1, n).
static const double PANEL = 1.5;

/// The smallest distance of a line, in edge lengths: closer lines count as this close, which changes nothing visible.
static const double CLOSEST = 1e-24;

/// -ln of the error that a plain rule may make, relative to its own integral: 1e-14.
static const double DIGITS = 32.3;

/// One evaluation: F, dF/dn, g, dg/dn.
typedef struct {
  double f[4];
} radial_values;

/// Returns the functions of the table at v = z^2 > 0.
static inline __attribute__((always_inline)) radial_values evaluate(
    const sersic_radial_table *table, double v) {
  radial_values r = {{0, 0, 0, 0}};
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  const long panel = (long)(bits >> 49) - table->first;
  if (panel < 0) {
    r.f[0] = table->core;
    r.f[1] = table->core_slope;
    r.f[2] = exp(table->peak - table->b * pow(v, table->power));
    return r;
  }
  if (panel >= table->panels) {
    r.f[0] = 1;
    return r;
  }
  // The low 49 bits are the place within the panel: as a mantissa they give 1 + place.
  bits = ((bits << 3) & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u;
  double place;
  memcpy(&place, &bits, sizeof place);
  const double xi = 2 * place - 3;
  const double *c = table->coefficients + panel * (4 * SERSIC_RADIAL_TERMS);
  for (int j = 0; j < 4; ++j) r.f[j] = c[4 * (SERSIC_RADIAL_TERMS - 1) + j];
  for (int k = SERSIC_RADIAL_TERMS - 2; k >= 0; --k)
    for (int j = 0; j < 4; ++j) r.f[j] = r.f[j] * xi + c[4 * k + j];
  return r;
}

/// Returns the squared distance, in edge lengths, from which on a plain rule with m nodes is good enough.
static inline double needed_distance(int m, double sharpness) {
  const double bernstein = exp(DIGITS / (2 * m));
  const double r = bernstein / (4 * sharpness);
  return r * r;
}

CLONES void sersic_line_integrals(
    const sersic_radial_table *restrict table, double distance, double start, double length,
    long count, double sharpness, long stride, double *restrict flux, double *restrict slope,
    double *restrict density, double *restrict moment) {
  const double per_turn = 0.159154943091895335768883763373;  // 1 / 2 pi
  const double d = fmax(fabs(distance), CLOSEST * length);
  const double sign = distance < 0 ? -1 : 1;
  const double d2 = d * d;
  const double half = length / 2;
  const double near2 = NEAR * NEAR / (sharpness * sharpness) * length * length;
  double needed[GAUSS_MOST + 1];
  for (int m = GAUSS_FEWEST; m <= GAUSS_MOST; ++m)
    needed[m] = needed_distance(m, sharpness) * length * length;

  for (long k = 0; k < count; ++k) {
    const double t0 = start + (double)k * length;
    const double t1 = start + (double)(k + 1) * length;
    const double middle = t0 + half;
    const double far2 = d2 + middle * middle;
    double sum_f = 0, sum_n = 0, sum_g = 0, sum_m = 0;
    if (far2 > near2) {
      int m = GAUSS_FEWEST;
      while (m < GAUSS_MOST && far2 < needed[m]) ++m;
      const double *x = gauss_nodes[m - GAUSS_FEWEST], *w = gauss_weights[m - GAUSS_FEWEST];
      for (int i = 0; i < m; ++i) {
        const double t = middle + half * x[i];
        const double v = d2 + t * t;
        const radial_values r = evaluate(table, v);
        const double angle = w[i] / v;
        sum_f += r.f[0] * angle;
        sum_n += r.f[1] * angle;
        sum_g += r.f[2] * w[i];
        sum_m += r.f[2] * w[i] * t;
      }
      sum_f *= half * d;
      sum_n *= half * d;
      sum_g *= half;
      sum_m *= half;
    } else {
      const double s0 = asinh(t0 / d), s1 = asinh(t1 / d);
      const long panels = (long)ceil((s1 - s0) / (PANEL * sharpness));
      const double width = (s1 - s0) / (double)panels;
      const double *x = gauss_nodes[GAUSS_MOST - GAUSS_FEWEST];
      const double *w = gauss_weights[GAUSS_MOST - GAUSS_FEWEST];
      for (long p = 0; p < panels; ++p) {
        const double center = s0 + ((double)p + 0.5) * width;
        for (int i = 0; i < GAUSS_MOST; ++i) {
          const double e = exp(center + width / 2 * x[i]);
          const double c = 0.5 * (e + 1 / e);
          const double t = d * 0.5 * (e - 1 / e);
          const radial_values r = evaluate(table, d2 * c * c);
          const double angle = w[i] / c;
          const double step = w[i] * d * c;
          sum_f += r.f[0] * angle;
          sum_n += r.f[1] * angle;
          sum_g += r.f[2] * step;
          sum_m += r.f[2] * step * t;
        }
      }
      sum_f *= width / 2;
      sum_n *= width / 2;
      sum_g *= width / 2;
      sum_m *= width / 2;
    }
    flux[k * stride] = sign * per_turn * sum_f;
    slope[k * stride] = sign * per_turn * sum_n;
    density[k * stride] = sum_g;
    moment[k * stride] = sum_m;
  }
}

CLONES void sersic_radial_densities(
    const sersic_radial_table *restrict table, long count, const double *restrict v,
    double *restrict density, double *restrict slope) {
  for (long i = 0; i < count; ++i) {
    const radial_values r = evaluate(table, v[i]);
    density[i] = r.f[2];
    slope[i] = r.f[3];
  }
}

CLONES void sersic_spread(
    long count, const double *restrict x, const double *restrict y, long planes,
    const double *restrict masses, long mass_stride, const double *restrict polynomials,
    long degree, long columns, long rows, long stride, long canvas_size,
    double *restrict canvases) {
  enum { WIDTH = SERSIC_SPREAD_WIDTH };
  for (long i = 0; i < count; ++i) {
    const double left = x[i] - WIDTH / 2.0, bottom = y[i] - WIDTH / 2.0;
    const double first_column = ceil(left), first_row = ceil(bottom);
    if (!(first_column >= 0 && first_column + WIDTH <= (double)columns && first_row >= 0
          && first_row + WIDTH <= (double)rows))
      continue;
    const double tx = 2 * (first_column - left) - 1, ty = 2 * (first_row - bottom) - 1;
    double along[WIDTH], across[WIDTH];
    for (int j = 0; j < WIDTH; ++j) {
      along[j] = polynomials[degree * WIDTH + j];
      across[j] = along[j];
    }
    for (long p = degree - 1; p >= 0; --p) {
      for (int j = 0; j < WIDTH; ++j) {
        along[j] = along[j] * tx + polynomials[p * WIDTH + j];
        across[j] = across[j] * ty + polynomials[p * WIDTH + j];
      }
    }
    double *origin = canvases + (long)first_row * stride + (long)first_column;
    for (long plane = 0; plane < planes; ++plane) {
      const double mass = masses[plane * mass_stride + i];
      for (int k = 0; k < WIDTH; ++k) {
        const double weight = mass * across[k];
        double *row = origin + plane * canvas_size + k * stride;
        for (int j = 0; j < WIDTH; ++j) row[j] += weight * along[j];
      }
    }
  }
}
