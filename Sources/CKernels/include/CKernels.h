// SPDX-License-Identifier: MIT
//
// Everything that CKernels offers.

#include "vector_math.h"
