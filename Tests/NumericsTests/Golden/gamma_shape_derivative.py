# SPDX-License-Identifier: MIT
#
# Writes gamma_shape_derivative.json: shape, logarithm of a gamma quantile, and its derivative by the shape, by mpmath.
# Run by hand in this folder: python3 gamma_shape_derivative.py

import datetime
import json

import mpmath as mp
from mpmath import mpf

mp.mp.dps = 60


def derivative(a, log_x):
    a, x = mpf(a), mp.e ** mpf(log_x)
    lower = lambda s: mp.gammainc(s, 0, x, regularized=True)
    upper = lambda s: mp.gammainc(s, x, mp.inf, regularized=True)
    # The smaller tail, so that the difference quotient keeps its digits.
    tail, sign = (lower, -1) if x < a else (upper, 1)
    h = a * mpf(10) ** -20
    slope = (tail(a + h) - tail(a - h)) / (2 * h)
    density = mp.exp(a * mp.log(x) - x - mp.loggamma(a))
    return float(sign * slope / density)


rows = []
for a in [1e-3, 0.05, 0.4, 1.0, 1.7, 6.0, 40.0, 350.0, 5000.0]:
    sd = max(a, 1.0) ** 0.5
    points = [a + z * sd for z in (-3, -1, -0.1, 0, 0.1, 1, 1.5, 4, 8) if a + z * sd > 0]
    points += [a * 10.0**-k for k in (1, 3)] if a < 10 else []
    for x in points:
        log_x = float(mp.log(x))
        rows.append([a, log_x, derivative(a, log_x)])
# The quantile underflows; P ≈ x^a / Γ(a + 1) is exact there.
for a, log_x in [(1e-3, -5000.0), (0.02, -900.0)]:
    rows.append([a, log_x, float(-(mpf(log_x) - mp.digamma(mpf(a) + 1)) / mpf(a))])

with open("gamma_shape_derivative.json", "w") as file:
    json.dump(
        {
            "generator": f"gamma_shape_derivative.py, mpmath {mp.__version__}",
            "command": "python3 gamma_shape_derivative.py",
            "date": datetime.date.today().isoformat(),
            "tolerance": "stated by the test: central differences at 60 digits are right to the last place",
            "functions": {"logGammaQuantileShapeDerivative": rows},
        },
        file,
        indent=0,
    )
