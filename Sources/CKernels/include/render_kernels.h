// SPDX-License-Identifier: MIT
//
// The Fourier renderer's loops over the rows of a spectrum: radial look-ups, spectra and their reductions.

#ifndef SERSIC_RENDER_KERNELS_H
#define SERSIC_RENDER_KERNELS_H

/// The number of intervals in an octave of the argument of a slice.
#define SERSIC_SLICE_STEPS 16

/// A function of v > 0 and its derivative with respect to n, as cubics on intervals cut by the leading bits of v.
///
/// An interval is a sixteenth of an octave. It holds eight numbers: the coefficients of the function, lowest power of
/// t in [0, 1) first, then those of its derivative with respect to n.
typedef struct {
  /// The intervals, one after the other.
  const double *coefficients;
  /// The leading 16 bits (sign, exponent, four of the mantissa) of the first interval's v.
  long first;
  /// The largest v that is looked up; beyond it counts as it.
  double largest;
} sersic_slice;

/// Sets out[0...3] to the sums over k of a_k cos(k * angle) + b_k sin(k * angle), k = 0 ... count - 1.
///
/// `weights` has count groups of eight: a and b of the four sums. `cosines` and `sines` have count elements.
void sersic_mellin_sums(
    long count, const double *weights, const double *cosines, const double *sines, double *out);

/// Sets the intervals first ..< first + count of a slice from four neighbouring columns of a table.
///
/// A column has four numbers for each knot: F, dF/ds, dF/dn, d2F/ds dn; the next one starts `stride` numbers further.
/// `weights` are those of (F, dF/dn) in the columns for F, then for dF/dn. `widths` are the intervals' lengths. Interval i
/// is written at out + 8 * i.
void sersic_make_slice(
    const double *columns, long stride, const double *weights, const double *widths, long first,
    long count, double *out);

/// Sets f, df/dv and df/dn at v = (p0 + p1 k)^2 + (q0 + q1 k)^2 + offset for the `count` elements of k.
void sersic_lookup_row(
    const sersic_slice *slice, long count, const double *k, double p0, double p1, double q0,
    double q1, double offset, double *f, double *fv, double *fn);

/// Sets (add = 0) or increases (add = 1) a row of (re, im) pairs by f * row * column * psf.
void sersic_spectrum_row(
    long count, const double *f, double row_re, double row_im, const double *column_re,
    const double *column_im, const double *psf_re, const double *psf_im, int add,
    double *spectrum);

/// The same with G = (c[0] f + (c[1] + c[2] k + c[3] k^2) fv + c[4] fn) - i (c[5] + c[6] k) f in place of f.
void sersic_tangent_row(
    long count, const double *f, const double *fv, const double *fn, const double *k,
    const double *c, double row_re, double row_im, const double *column_re,
    const double *column_im, const double *psf_re, const double *psf_im, int add,
    double *spectrum);

/// Adds the sums of w T to out[0...6], T = conj(adjoint) * row * column * psf.
///
/// The sums: f Re T, f Im T, k f Im T, fv Re T, k fv Re T, k^2 fv Re T, fn Re T.
void sersic_reduce_row(
    long count, const double *adjoint, const double *f, const double *fv, const double *fn,
    const double *k, const double *w, double row_re, double row_im, const double *column_re,
    const double *column_im, const double *psf_re, const double *psf_im, double *out);

/// Adds factor * a b to c, all arrays of `count` complex numbers as (re, im) pairs.
void sersic_add_complex_product(
    long count, double factor, const double *a, const double *b, double *c);

/// Returns the sum of Re(a b conj(c)) over the full spectra of real images of which [rows, columns] halves are given.
///
/// The full spectrum has an even number of columns: the first and the last of the half count once, all others twice.
double sersic_triple_product(
    long rows, long columns, const double *a, const double *b, const double *c);

#endif
