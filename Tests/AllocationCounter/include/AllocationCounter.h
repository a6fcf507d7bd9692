// SPDX-License-Identifier: MIT
//
// Counts the heap allocations of the calling thread, by standing in front of glibc's allocator; for tests only.

#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

/// Returns the number of allocations that the calling thread has made; −1 where they cannot be counted.
long allocation_count(void);

#endif
