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

#endif
