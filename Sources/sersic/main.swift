// SPDX-License-Identifier: MIT
//
// The command `sersic`: parse, call GalaxyFitting, print, set the exit status.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

exit(Sersic.start())
