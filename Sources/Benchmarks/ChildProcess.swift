// SPDX-License-Identifier: MIT
//
// Runs a program to its end, and reads its peak memory from the system's accounts of that one process.

import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A finished process.
struct ChildProcess {
  /// The exit status; nil where a signal ended it.
  let status: Int32?

  /// The peak of the resident memory, in bytes.
  ///
  /// Linux counts the memory of the parent at the time of the start in: start processes while the parent is small.
  let peakMemory: Int

  /// Runs a program; what it prints is appended to a file.
  ///
  /// - Parameters:
  ///   - program: Its path.
  ///   - arguments: Its arguments.
  ///   - output: The file for standard output and standard error.
  /// - Throws: `BenchmarkError` where the process cannot be started.
  init(_ program: String, _ arguments: [String], output: String) throws {
    #if canImport(Glibc)
      var actions = posix_spawn_file_actions_t()
    #else
      var actions: posix_spawn_file_actions_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var identifier = pid_t()
    let failure = posix_spawn(&identifier, program, &actions, nil, &words, environ)
    try require(failure == 0, "\(program): expected a process, found error \(failure)")
    var state: Int32 = 0
    var usage = rusage()
    while wait4(identifier, &state, 0, &usage) == -1 {
      try require(errno == EINTR, "\(program): expected its exit status, found error \(errno)")
    }
    status = state & 0x7f == 0 ? (state >> 8) & 0xff : nil
    #if os(Linux)
      let unit = 1024
    #else
      let unit = 1
    #endif
    peakMemory = Int(usage.ru_maxrss) * unit
  }
}
