# SPDX-License-Identifier: MIT
#
# Writes differential_equations.json: solutions of differential equations by SciPy, rows of (parameters…, time, state…).
# Run by hand in this folder: python3 differential_equations.py

import datetime
import json

import numpy as np
import scipy
from scipy.integrate import solve_ivp

functions = {}


def solve(f, start, times, method, absolute):
    result = solve_ivp(f, [times[0], times[-1]], start, method=method, rtol=1e-12, atol=absolute, t_eval=times)
    assert result.success
    return result.y.T


# Hares and lynxes, with the derivatives of both by start and rates from the variational equations:
# rows of (time, hares, lynxes, derivatives of the hares by two starts and four rates, those of the lynxes).
start, rates = np.array([33.96, 5.949]), np.array([0.545, 0.02803, 0.803, 0.02415])


def lotka_volterra(t, z):
    u, v = z[:2]
    a, b, c, d = rates
    s = z[2:].reshape(2, 6)
    jacobian = np.array([[a - b * v, -b * u], [d * v, d * u - c]])
    by_rates = np.array([[0, 0, u, -u * v, 0, 0], [0, 0, 0, 0, -v, u * v]])
    return np.concatenate([[(a - b * v) * u, (d * u - c) * v], (jacobian @ s + by_rates).ravel()])


times = np.arange(21.0)
first = np.concatenate([start, np.eye(2, 6).ravel()])
path = solve(lotka_volterra, first, times, "DOP853", 1e-12)
functions["LotkaVolterra"] = [[t, *row] for t, row in zip(times, path.tolist())]


# Robertson's reactions, rates 0.04, 1e4, 3e7: rows of (time, three concentrations).
def robertson(t, y):
    a, b, c = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
    return [b - a, a - b - c, c]


times = [0.0, *(4.0 * 10.0**k for k in range(-1, 8))]
path = solve(robertson, [1, 0, 0], times, "Radau", 1e-18)
functions["Robertson"] = [[t, *row] for t, row in zip(times, path.tolist())]

# Van der Pol's oscillator with μ = 1000 over one period and more: rows of (time, x, dx/dt).
times = [0.0, 1.0, 200.0, 700.0, 800.0, 806.0, 810.0, 1500.0, 2000.0]
path = solve(lambda t, y: [y[1], 1000 * (1 - y[0] ** 2) * y[1] - y[0]], [2, 0], times, "Radau", 1e-13)
functions["VanDerPol"] = [[t, *row] for t, row in zip(times, path.tolist())]

# One compartment with absorption of first order and Michaelis–Menten elimination: rows of (ka, time, concentration).
dose, volume, vm, km = 30.0, 2.0, 0.9, 0.4
functions["OneCompartment"] = []
for ka in [1.0, 2.5, 30.0, 300.0]:
    times = [0.0, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0]
    path = solve(
        lambda t, y: np.exp(-ka * t) * ka * dose / volume - vm / volume * y / (km + y), [0.0], times, "DOP853", 1e-13)
    functions["OneCompartment"] += [[ka, t, *row] for t, row in zip(times, path.tolist())]

json.dump({
    "generator": f"differential_equations.py, SciPy {scipy.__version__}",
    "command": "python3 differential_equations.py",
    "date": datetime.date.today().isoformat(),
    "tolerance": "1e-9 of the largest value of each state: errors of steps of 1e-12 that add up over some thousand steps",
    "functions": functions,
}, open("differential_equations.json", "w"), indent=0)
