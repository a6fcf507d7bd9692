// SPDX-License-Identifier: MIT
//
// The C kernels: vector math, likelihoods, pixel integrals, random bits, rendering, skies, trajectories, Bessel functions.

#include "bessel_kernels.h"
#include "copy_kernels.h"
#include "likelihood_kernels.h"
#include "pixel_kernels.h"
#include "random_kernels.h"
#include "render_kernels.h"
#include "sky_kernels.h"
#include "tape_kernels.h"
#include "trajectory_kernels.h"
#include "vector_math.h"
