// SPDX-License-Identifier: MIT
//
// A plane on the pixels of an image, and its adjoint.

#ifndef SERSIC_SKY_KERNELS_H
#define SERSIC_SKY_KERNELS_H

/// Adds plane[0] + plane[1] (x - (width - 1) / 2) + plane[2] (y - (height - 1) / 2) to pixel (x, y), row-major, x fastest.
void sersic_add_plane(long width, long height, const double *plane, double *image);

/// Sets sums[0...2] to the sums of an image times the factors of plane[0...2] in `sersic_add_plane`.
void sersic_plane_sums(long width, long height, const double *image, double *sums);

#endif
