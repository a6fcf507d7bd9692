// SPDX-License-Identifier: MIT
//
// How far the chains of a run have come, and the reports of it.

import Dispatch
import Synchronization

/// Keeps account of a run and reports its progress some ten times a second.
final class RunMonitor: Sendable {
  /// What is known of the chains.
  private struct Account: Sendable {
    var iterations: [Int]
    var divergences: [Int]
    var stepSizes: [Double]
    var nextReport: UInt64
  }

  private let plan: RunPlan
  private let began: UInt64
  private let account: Mutex<Account>

  /// Held while a report is made, so that there is one at a time.
  private let reporting = Mutex(())

  /// Begins the account of a run.
  init(_ plan: RunPlan, began: UInt64, iterations: [Int]) {
    self.plan = plan
    self.began = began
    account = Mutex(
      Account(
        iterations: iterations, divergences: iterations.map { _ in 0 },
        stepSizes: iterations.map { _ in .nan }, nextReport: began))
  }

  /// The seconds since the run began.
  var seconds: Double { Double(DispatchTime.now().uptimeNanoseconds - began) * 1e-9 }

  /// Reports the beginning.
  func begin() {
    guard let report = plan.progress.report else { return }
    report(account.withLock { update($0, began, isLast: false) })
  }

  /// Notes how far a chain has come, and reports where a report is due.
  func update<K, A>(_ chain: Chain<K, A>, _ now: UInt64) {
    guard let report = plan.progress.report else { return }
    let due = account.withLock { account -> ProgressUpdate? in
      note(chain, &account)
      guard now >= account.nextReport else { return nil }
      account.nextReport = now + 100_000_000
      return update(account, now, isLast: false)
    }
    guard let due else { return }
    // A report that another thread is making is as good as this one.
    _ = reporting.withLockIfAvailable { _ in report(due) }
  }

  /// Reports the end.
  func end<K, A>(_ seats: [Seat<K, A>]) {
    guard let report = plan.progress.report else { return }
    let last = account.withLock { account in
      for seat in seats { note(seat.chain, &account) }
      return update(account, DispatchTime.now().uptimeNanoseconds, isLast: true)
    }
    reporting.withLock { _ in report(last) }
  }

  /// Notes how far a chain has come.
  private func note<K, A>(_ chain: Chain<K, A>, _ account: inout Account) {
    account.iterations[chain.index] = min(chain.iteration, plan.iterations)
    account.divergences[chain.index] = chain.divergences
    account.stepSizes[chain.index] = chain.stepSize
  }

  /// Returns what is reported: the step size is the mean over the chains that have begun.
  private func update(_ account: Account, _ now: UInt64, isLast: Bool) -> ProgressUpdate {
    let isWarmingUp = account.iterations.contains { $0 < plan.warmUp }
    let sizes = account.stepSizes.filter { !$0.isNaN }
    var details: [(name: String, value: Double)] = []
    if !sizes.isEmpty { details.append(("step size", sizes.reduce(0, +) / Double(sizes.count))) }
    if !isWarmingUp { details.append(("divergences", Double(account.divergences.reduce(0, +)))) }
    return ProgressUpdate(
      stage: isWarmingUp ? "warm-up" : "sampling", completed: account.iterations.reduce(0, +),
      total: plan.chains * plan.iterations, seconds: Double(now - began) * 1e-9, unit: "steps",
      details: details, isLast: isLast)
  }
}
