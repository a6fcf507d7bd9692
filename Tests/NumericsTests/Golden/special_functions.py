# SPDX-License-Identifier: MIT
#
# Writes special_functions.json: arguments and correctly rounded values of special functions, by mpmath at 400 digits.
# Run by hand in this folder: python3 special_functions.py

import datetime
import json
import random

import mpmath as mp
from mpmath import mpf

mp.mp.dps = 400
random.seed(20240601)


def uniform(low, high, count):
    return [random.uniform(low, high) for _ in range(count)]


def decades(low, high, count):
    return [10**random.uniform(low, high) for _ in range(count)]


def log_ncdf(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)


def quantile(p):
    x = mpf(mp.erfinv(mpf(float(2 * p - 1)))) * mp.sqrt(2) if 1e-3 < p < 0.999 else None
    if x is None:
        tail = min(p, 1 - p)
        y = -2 * mp.log(tail)
        x = -mp.sqrt(y - mp.log(2 * mp.pi * y))
        x = x if p < 0.5 else -x
    for _ in range(12):
        x -= (mp.erfc(-x / mp.sqrt(2)) / 2 - p) / mp.npdf(x)
    return x


one = {
    "exp": (mp.exp, uniform(-745, 709.7, 60) + uniform(-1, 1, 60) + [0, -744.9, 709.78]),
    "expm1": (mp.expm1, uniform(-40, 709, 40) + uniform(-2, 2, 60) + decades(-300, 0, 20)),
    "log": (mp.log, decades(-320, 308, 60) + uniform(0.5, 2, 60) + [1.0]),
    "log1p": (mp.log1p, decades(-300, 300, 40) + uniform(-1, 3, 60) + [-x for x in decades(-20, 0, 20)]),
    "tanh": (mp.tanh, uniform(-21, 21, 40) + uniform(-1, 1, 60) + decades(-300, 0, 20)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), uniform(-740, 50, 40) + uniform(-5, 5, 60)),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), uniform(-700, 50, 40) + uniform(-5, 5, 60)),
    "sin": (mp.sin, uniform(-10, 10, 60) + uniform(-1e6, 1e6, 60) + [3.141592653589793, 1e22, 3e9]),
    "cos": (mp.cos, uniform(-10, 10, 60) + uniform(-1e6, 1e6, 60) + [1.5707963267948966, 1e22, 3e9]),
    "erf": (mp.erf, uniform(-6, 6, 60) + uniform(-1, 1, 60) + decades(-300, 0, 20)),
    "erfc": (mp.erfc, uniform(-6, 26, 60) + uniform(-1, 1, 60)),
    "erfcx": (lambda x: mp.exp(x**2) * mp.erfc(x), uniform(-26, 26, 60) + uniform(-1, 1, 60) + decades(2, 7, 10)),
    "normalCDF": (mp.ncdf, uniform(-37, 6, 60) + uniform(-1, 1, 60)),
    "normalLogCDF": (log_ncdf, uniform(-37, 8, 60) + uniform(-1, 1, 60) + [-x for x in decades(1, 2.4, 10)]),
    "normalLogCDFDerivative": (lambda x: mp.npdf(x) / (mp.erfc(-x / mp.sqrt(2)) / 2),
                               uniform(-37, 8, 60) + uniform(-1, 1, 60)),
    "normalQuantile": (quantile, uniform(0, 1, 60) + decades(-300, 0, 40) + [1 - x for x in decades(-15, 0, 20)]),
    "logGamma": (lambda x: mp.loggamma(x).real, decades(-10, 10, 50) + uniform(0, 5, 50)),
    "digamma": (lambda x: mp.psi(0, x), decades(-10, 10, 50) + uniform(0, 9, 50) + uniform(-9, 0, 20) + [1.46, 1.47]),
    "trigamma": (lambda x: mp.psi(1, x), decades(-10, 10, 50) + uniform(0, 15, 50) + uniform(-9, 0, 20)),
    "tetragamma": (lambda x: mp.psi(2, x), decades(-10, 10, 50) + uniform(0, 15, 50)),
    "stirlingError": (lambda x: mp.loggamma(x + 1) - (x + mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2,
                      decades(-3, 4, 30) + [9.99, 10.0]),
    "logBesselI0": (lambda x: mp.log(mp.besseli(0, x)), uniform(0, 60, 40) + decades(-8, 3, 20) + [30.0, 30.1]),
}
dps = {"logGamma": 40, "digamma": 40, "trigamma": 40, "tetragamma": 40, "stirlingError": 50, "logBesselI0": 50}
functions = {}
for name, (function, arguments) in one.items():
    mp.mp.dps = dps.get(name, 400)
    functions[name] = [[float(x), float(function(mpf(float(x))))] for x in arguments]

mp.mp.dps = 60
functions["pow"] = [[x, y, float(mpf(x)**mpf(y))] for x, y in
                    list(zip(decades(-10, 10, 60), uniform(-30, 30, 60)))
                    + list(zip(uniform(0.9, 1.1, 60), uniform(-6000, 6000, 60)))]
functions["logBeta"] = [[a, b, float(mp.log(mp.beta(a, b)))] for a, b in
                        zip(decades(-2, 4, 60), decades(-2, 4, 60))]


def cdf_points(a):
    """Arguments from far below the mean to far above it."""
    return [max(a * f, 1e-6) for f in (1e-3, 0.1, 0.5, 0.9, 0.999, 1, 1.001, 1.1, 2, 4)] + [a + 20]


shapes = [0.01, 0.3, 0.6, 1.0, 2.5, 4.0, 8.0, 15.3, 20.0, 75.0, 300.0, 4000.0]
functions["regularizedGamma"] = []
for a in shapes:
    for x in cdf_points(a):
        p = mp.gammainc(mpf(a), 0, mpf(x), regularized=True)
        q = mp.gammainc(mpf(a), mpf(x), mp.inf, regularized=True)
        functions["regularizedGamma"].append([a, x, float(p), float(q)])


def inverse_gamma(a, p):
    f = lambda u: mp.gammainc(a, 0, mp.exp(u), regularized=True) / p - 1
    from scipy.special import gammaincinv
    start = mpf(float(gammaincinv(float(a), float(p))))
    return mp.exp(mp.findroot(f, mp.log(start)))


functions["inverseRegularizedGammaP"] = [
    [a, p, float(inverse_gamma(mpf(a), mpf(p)))]
    for a in [0.1, 0.6, 1.0, 2.0, 5.4, 8.0, 16.0, 20.0, 150.0] for p in [1e-8, 0.02, 0.3, 0.5, 0.7, 0.99]]

functions["regularizedBeta"] = []
for a, b in [(0.5, 0.5), (0.1, 3), (1, 1), (2, 3), (5.5, 0.5), (30, 20), (300, 200), (1, 4000), (40, 0.5)]:
    for x in [1e-5, 0.05, 0.3, 0.5, 0.6, 0.9, 0.999]:
        p = mp.betainc(mpf(a), mpf(b), 0, mpf(x), regularized=True)
        q = mp.betainc(mpf(b), mpf(a), 0, 1 - mpf(x), regularized=True)
        functions["regularizedBeta"].append([a, b, x, float(p), float(q)])


def student_cdf(t, nu):
    tail = mp.betainc(nu / 2, mpf(1) / 2, 0, nu / (nu + t * t), regularized=True) / 2
    return tail if t < 0 else 1 - tail


functions["studentTCDF"] = [[t, nu, float(student_cdf(mpf(t), mpf(nu)))]
                            for nu in [0.5, 1, 2, 5, 30, 1000.0]
                            for t in [-1e5, -30.0, -3.0, -1.0, -1e-4, 1e-9, 0.4, 2.0, 8.0]]

for rows in functions.values():
    for row in rows:
        assert all(abs(v) < float("inf") for v in row), row

mp.mp.dps = 50
functions["besselRatio"] = [[x, float(mp.besseli(1, mpf(x)) / mp.besseli(0, mpf(x)))] for x in
                            uniform(0, 60, 40) + decades(-8, 6, 20) + [30.0, 30.1]]
json.dump({
    "generator": f"special_functions.py, mpmath {mp.__version__}",
    "command": "python3 special_functions.py",
    "date": datetime.date.today().isoformat(),
    "tolerance": "stated by each test in ulp: values are correctly rounded",
    "functions": functions,
}, open("special_functions.json", "w"), indent=0)
