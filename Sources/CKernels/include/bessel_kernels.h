// SPDX-License-Identifier: MIT
//
// Products of powers and modified Bessel functions of real order: Spergel's profile, and the transform of Moffat's.

#ifndef SERSIC_BESSEL_KERNELS_H
#define SERSIC_BESSEL_KERNELS_H

/// Sets groups of four to (x/2)^power e^(-log_norm) times K_order, K_(order-1), and their derivatives by the order.
///
/// `x` has `count` numbers in 1e-150...1e150, `out` four times as many; order and power in -1...120. What underflows is 0.
void sersic_bessel_products(
    long count, const double *x, double order, double power, double log_norm, double *out);

#endif
