// SPDX-License-Identifier: MIT
#include "likelihood_kernels.h"
#include "pixel_kernels.h"
