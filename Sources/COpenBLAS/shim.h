// SPDX-License-Identifier: MIT
//
// CBLAS, and prototypes of the few LAPACK routines we call: Debian's OpenBLAS has no LAPACKE header.

#ifndef SWIFT_SERSIC_OPENBLAS_H
#define SWIFT_SERSIC_OPENBLAS_H

#include <cblas.h>

/// Cholesky factor of a symmetric positive-definite matrix (column-major), in place.
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);

/// Solution of A x = b from the Cholesky factor of A.
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
             double *b, const int *ldb, int *info);

/// Eigenvalues and eigenvectors of a symmetric matrix, by divide and conquer.
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

#endif
