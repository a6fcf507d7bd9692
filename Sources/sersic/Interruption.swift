// SPDX-License-Identifier: MIT
//
// Ctrl-C: the first asks the search to stop and keeps what was done, the second ends the process.

import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Whether Ctrl-C was pressed.
private let wasInterrupted = Atomic<Bool>(false)

/// The hold on Ctrl-C.
enum Interruption {
  /// Whether Ctrl-C was pressed since ``catchNext()``.
  static var isRequested: Bool { wasInterrupted.load(ordering: .relaxed) }

  /// Lets the next Ctrl-C (or a polite request to end) set ``isRequested`` instead of ending the process.
  static func catchNext() {
    // The first use of a global initialises it, which a signal handler must not do.
    wasInterrupted.store(false, ordering: .relaxed)
    // Programs that start others may leave signals blocked.
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGINT, SIGTERM] {
      sigaddset(&set, number)
      signal(number) { number in
        wasInterrupted.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }
}
