// SPDX-License-Identifier: MIT
//
// Integrals of a radial profile along the lines of a pixel grid, from a table of its enclosed flux.

#ifndef SERSIC_PIXEL_KERNELS_H
#define SERSIC_PIXEL_KERNELS_H

/// The number of polynomial coefficients of one function in one panel.
#define SERSIC_RADIAL_TERMS 11

/// A radial profile of unit flux, as functions of v = z^2, the squared elliptical radius in units of r_eff.
///
/// A panel is one eighth of an octave of v. It holds SERSIC_RADIAL_TERMS groups of four: the coefficients, lowest power
/// of xi in [-1, 1) first, of the enclosed flux F, its derivative with respect to n, the density g (F = pi * integral of
/// g dv), and a zero.
typedef struct {
  /// The panels, one after the other.
  const double *coefficients;
  /// The number of panels.
  long panels;
  /// The leading 15 bits (exponent and three of the mantissa) of the first panel's v.
  long first;
  /// Below the first panel: g = exp(peak - b * v^power).
  double peak, b, power;
  /// The flux below the first panel, and its derivative: those of a point, or 0.
  double core, core_slope;
} sersic_radial_table;

/// Sets the integrals along `count` consecutive edges of equal length on one straight line.
///
/// Lengths are in the coordinates of the profile (ellipse = unit circle at r_eff). The line passes the centre at the
/// signed distance `distance` (positive: the centre is to the left); edge k runs from t = start + k * length to the next.
/// Written at out[k * stride]: `flux` = integral of F dphi / 2 pi; `slope` = the same of dF/dn; `density` = integral of
/// g dt; `moment` = integral of g t dt. `sharpness` = min(1, n) sets the density of nodes.
void sersic_line_integrals(
    const sersic_radial_table *table, double distance, double start, double length, long count,
    double sharpness, long stride, double *flux, double *slope, double *density, double *moment);

/// Sets the density g and its derivative with respect to n at `count` values v > 0; below the first panel that is 0.
void sersic_radial_densities(
    const sersic_radial_table *table, long count, const double *v, double *density, double *slope);

/// The number of cells over which a point is spread, along each axis.
#define SERSIC_SPREAD_WIDTH 12

/// Adds `planes` masses of each of `count` points, spread over cells by a product of two functions, to as many canvases.
///
/// A point at (x, y), in cells, touches the cells from ceil(x - WIDTH / 2) on. With t = 2 (ceil(x - WIDTH / 2) - (x - WIDTH / 2))
/// - 1, cell j gets the polynomial in t with the coefficients polynomials[p * WIDTH + j], p = 0 ... degree. Points that touch
/// cells outside 0 ..< columns, 0 ..< rows are left out. Masses of one plane are `mass_stride` apart from the next's, canvases
/// `canvas_size`; rows of a canvas are `stride` apart.
void sersic_spread(
    long count, const double *x, const double *y, long planes, const double *masses,
    long mass_stride, const double *polynomials, long degree, long columns, long rows, long stride,
    long canvas_size, double *canvases);

#endif
