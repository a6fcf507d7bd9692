// SPDX-License-Identifier: MIT
//
// The declarations of WCSLIB that turn a header into coordinates on the sky.

#include <wcs.h>
#include <wcsfix.h>
#include <wcshdr.h>
