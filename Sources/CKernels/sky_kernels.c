// SPDX-License-Identifier: MIT
//
// A plane on the pixels of an image, and its adjoint. Priorities: 1 speed; 2 a fixed order of summation.

#include "sky_kernels.h"

#include "elementary.h"

/// Eight numbers at any address; machines with shorter vectors take them in parts.
typedef double eight __attribute__((vector_size(64), aligned(8)));

/// The sum of eight numbers; a macro, since vectors as arguments depend on the machine.
#define SUM8(s) \
  ((((s)[0] + (s)[4]) + ((s)[2] + (s)[6])) + (((s)[1] + (s)[5]) + ((s)[3] + (s)[7])))

SS_CLONES void sersic_add_plane(
    long width, long height, const double *restrict plane, double *restrict image) {
  const double middle_x = 0.5 * (double)(width - 1), middle_y = 0.5 * (double)(height - 1);
  for (long y = 0; y < height; ++y) {
    double *row = image + y * width;
    const double base = plane[0] + plane[2] * ((double)y - middle_y), slope = plane[1];
    // By 32 bits, from which vectors convert.
    for (long x = 0; x < width; ++x) row[x] += base + slope * ((double)(int)x - middle_x);
  }
}

SS_CLONES void sersic_plane_sums(
    long width, long height, const double *restrict image, double *restrict sums) {
  const double middle_x = 0.5 * (double)(width - 1), middle_y = 0.5 * (double)(height - 1);
  double total = 0, along_x = 0, along_y = 0;
  for (long y = 0; y < height; ++y) {
    const double *row = image + y * width;
    eight plain = {0}, weighted = {0};
    eight distance = {0, 1, 2, 3, 4, 5, 6, 7};
    distance -= middle_x;
    long x = 0;
    for (; x + 8 <= width; x += 8) {
      eight pixels;
      memcpy(&pixels, row + x, 64);
      plain += pixels;
      weighted += pixels * distance;
      distance += 8.0;
    }
    double row_sum = SUM8(plain), row_moment = SUM8(weighted);
    for (; x < width; ++x) {
      row_sum += row[x];
      row_moment += row[x] * ((double)x - middle_x);
    }
    total += row_sum;
    along_x += row_moment;
    along_y += row_sum * ((double)y - middle_y);
  }
  sums[0] = total;
  sums[1] = along_x;
  sums[2] = along_y;
}
