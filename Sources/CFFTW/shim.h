// SPDX-License-Identifier: MIT
//
// The declarations of FFTW 3, double precision.

#include <fftw3.h>
