// SPDX-License-Identifier: MIT
//
// The most memory that this process has held.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Returns the largest resident memory of this process so far, in MB; nil where the system does not say.
///
/// On Linux the figure of getrusage counts what the parent held before the program began, so the kernel's own is read.
func peakMemory() -> Double? {
  #if canImport(Glibc)
    guard let file = fopen("/proc/self/status", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard text.hasPrefix("VmHWM:") else { continue }
      return text.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 / 1000 }
    }
    return nil
  #else
    var usage = rusage()
    guard getrusage(RUSAGE_SELF, &usage) == 0 else { return nil }
    return Double(usage.ru_maxrss) / 1e6
  #endif
}
