// SPDX-License-Identifier: MIT
//
// The Fourier renderer's loops over periodic copies and band edges, and its small products.

#ifndef SERSIC_COPY_KERNELS_H
#define SERSIC_COPY_KERNELS_H

#include "render_kernels.h"

/// Adds to `values` at `nodes` places (x, y), a multiple of four, the sum over copies of c[0] g + (c[1] dx + c[2] dy + c[3] dx^2 + c[4] dx dy + c[5] dy^2) g'
/// + c[6] g_n at u = form[0] dx^2 + 2 form[1] dx dy + form[2] dy^2.
///
/// dx = x - copies[2 i], dy = y - copies[2 i + 1]; `slice` holds g and g_n as functions of u.
void sersic_copies(
    const sersic_slice *slice, long count, const double *copies, const double *form,
    const double *c, long nodes, const double *x, const double *y, double *values);

/// Adds the adjoint of `sersic_copies` with respect to c[0...6] to out[0...6].
void sersic_copies_adjoint(
    const sersic_slice *slice, long count, const double *copies, const double *form, long nodes,
    const double *x, const double *y, const double *adjoint, double *out);

/// One frequency's part in the transform of a band edge: bin += weight * f * column phase * row phase, or its conjugate.
typedef struct {
  /// The index of the frequency's f, of its phases, and of the bin it goes to.
  long frequency, column, row, bin;
  /// The weight; -1 for the conjugate, else 1.
  double re, im, sign;
  /// The frequency, and the rates of the phases.
  double kx, ky, px, py;
} sersic_edge;

/// Adds to `bins`, (re, im) pairs, the entries with G = c[0] f + (c[1] kx^2 + c[2] kx ky + c[3] ky^2) fv + c[4] fn
/// - i (c[5] px + c[6] py) f in place of f.
void sersic_edges(
    long count, const sersic_edge *entries, const double *f, const double *fv, const double *fn,
    const double *c, const double *column_re, const double *column_im, const double *row_re,
    const double *row_im, double *bins);

/// Adds the adjoint of `sersic_edges` with respect to c[0...6] to out[0...6].
void sersic_edges_adjoint(
    long count, const sersic_edge *entries, const double *f, const double *fv, const double *fn,
    const double *column_re, const double *column_im, const double *row_re, const double *row_im,
    const double *bins, double *out);

/// Adds factor * a b to c; a is [rows, inner], b [inner, columns] with `stride` elements from row to row of b and c.
void sersic_multiply_add(
    long rows, long inner, long columns, double factor, const double *a, const double *b,
    long b_stride, double *c, long c_stride);

/// Adds factor * a transpose(b) to c; a is [rows, inner], b [columns, inner], c [rows, columns].
///
/// The strides are the elements from row to row of a and of b.
void sersic_project_rows(
    long rows, long inner, long columns, double factor, const double *a, long a_stride,
    const double *b, long b_stride, double *c);

/// Adds factor * transpose(a) b to c; a is [inner, rows], b [inner, columns], c [rows, columns].
void sersic_multiply_add_transposed(
    long rows, long inner, long columns, double factor, const double *a, const double *b,
    long b_stride, double *c, long c_stride);

#endif
