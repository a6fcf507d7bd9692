// SPDX-License-Identifier: MIT
//
// The catalogue of posteriors that are known from elsewhere: a name, and the model made from data under that name.
//
// Source: posteriordb (Magnusson, Bürkner & Vehtari 2023), whose names and data they have.

public import PPL
public import Tensors

/// A posterior of posteriordb as a model of this package.
public struct ReferencePosterior: Sendable {
  /// The name in posteriordb: data and model.
  public let name: String

  /// Makes the model of checked data.
  private let make: @Sendable (Arrays) throws -> Model<Void>

  /// Creates an entry.
  private init(_ name: String, _ make: @escaping @Sendable (Arrays) throws -> Model<Void>) {
    self.name = name
    self.make = make
  }

  /// Returns the model.
  ///
  /// - Parameter data: The data by their names in posteriordb; numbers are scalars, matrices lie row by row.
  /// - Returns: The model, its sites named as in posteriordb.
  /// - Throws: ``ReferenceDataError`` where an array is missing or has another number of axes.
  public func model(_ data: [String: Tensor]) throws -> Model<Void> {
    try make(Arrays(posterior: name, arrays: data))
  }

  /// Returns the entry of a name, or nil.
  public static func named(_ name: String) -> ReferencePosterior? {
    all.first { $0.name == name }
  }

  /// All entries.
  public static let all: [ReferencePosterior] = [
    ReferencePosterior("arK-arK") { data in
      try autoregression(series: data.vector("y"), order: Int(data.number("K")))
    },
    ReferencePosterior("eight_schools-eight_schools_centered") { data in
      try eightSchools(effects: data.vector("y"), errors: data.vector("sigma"))
    },
    ReferencePosterior("eight_schools-eight_schools_noncentered") { data in
      try nonCentredEightSchools(effects: data.vector("y"), errors: data.vector("sigma"))
    },
    ReferencePosterior("garch-garch11") { data in
      try garch(series: data.vector("y"), firstScale: data.number("sigma1"))
    },
    ReferencePosterior("gp_pois_regr-gp_regr") { data in
      try gaussianProcess(x: data.vector("x"), y: data.vector("y"))
    },
    ReferencePosterior("hmm_example-hmm_example") { data in
      try hiddenMarkovChain(series: data.vector("y"))
    },
    ReferencePosterior("kidiq-kidscore_interaction") { data in
      try kidScoreRegression(
        kidScore: data.vector("kid_score"), momSchooling: data.vector("mom_hs"),
        momScore: data.vector("mom_iq"))
    },
    ReferencePosterior("low_dim_gauss_mix-low_dim_gauss_mix") { data in
      try normalMixture(y: data.vector("y"))
    },
    ReferencePosterior("sblrc-blr") { data in
      try linearRegression(design: data.matrix("X"), y: data.vector("y"))
    },
  ]

  /// Data by name, read with a check of their axes.
  struct Arrays {
    /// The posterior, for messages.
    let posterior: String
    /// The data.
    let arrays: [String: Tensor]

    /// Returns an array with a given number of axes.
    func array(_ name: String, rank: Int, _ kind: String) throws -> Tensor {
      guard let array = arrays[name], array.rank == rank else {
        throw ReferenceDataError(
          posterior: posterior, name: name,
          explanation:
            "expected \(kind), found \(arrays[name].map { "shape \($0.shape)" } ?? "none; there are \(arrays.keys.sorted())")"
        )
      }
      return array
    }

    /// Returns a number.
    func number(_ name: String) throws -> Double { try array(name, rank: 0, "a number").item() }

    /// Returns a vector.
    func vector(_ name: String) throws -> [Double] {
      try array(name, rank: 1, "a vector").elements
    }

    /// Returns a matrix.
    func matrix(_ name: String) throws -> Tensor { try array(name, rank: 2, "a matrix") }
  }
}

/// Data that do not fit a reference posterior.
public struct ReferenceDataError: Error, Sendable, CustomStringConvertible {
  /// The posterior.
  public let posterior: String

  /// The array in question.
  public let name: String

  /// What was expected and what was found.
  public let explanation: String

  public var description: String { "\(posterior): data \"\(name)\": \(explanation)" }
}
