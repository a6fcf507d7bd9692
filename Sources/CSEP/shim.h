// SPDX-License-Identifier: MIT
//
// The declarations of SEP, source extraction as in SExtractor; its header needs size_t.

#include <stddef.h>
#include <sep.h>
