// SPDX-License-Identifier: MIT
//
// The declarations of CFITSIO.

#include <fitsio.h>
