import Plotting
import Foundation
import Testing
@Suite struct TmpTests { @Test func t() throws {
  let c = ContinuousClock()
  for name in ["gal1","tiny","large","wide","tall","sky","small_units"] {
    let d = try Data(contentsOf: URL(fileURLWithPath: "/tmp/\(name).bin"))
    let v = d.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
    let nx = Int(v[0]), ny = Int(v[1]), n = nx*ny
    func part(_ k: Int) -> [Double] { Array(v[(2+k*n)..<(2+(k+1)*n)]) }
    var p = ResidualPlot(width: nx, height: ny, data: part(0), model: part(1), residual: part(2), mask: part(3).map{$0>0})
    p.title = name == "tiny" ? "" : "\(name): Sérsic profile, flat sky, MAP"
    p.caption = "χ² = 14 312.4 for 14 600 pixels, reduced 0.981;  n = 1.879,  r_eff = 3.249 px"
    if name == "sky" { p.origin = (x: 1100, y: 2045) ; p.valueLabel = "counts / pixel" }
    for _ in 0..<3 { print("##", name, try c.measure { try p.figure().write(to: "/tmp/\(name).png") }) }
    print("## pdf", try c.measure { try p.figure().write(to: "/tmp/\(name).pdf") })
    print("## svg", try c.measure { try p.figure().write(to: "/tmp/\(name).svg") })
  }
}}
