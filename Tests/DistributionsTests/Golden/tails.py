# SPDX-License-Identifier: MIT
#
# Writes tails.json: rows of (value, parameters…, log P(x ≤ value), log P(x > value)) of scalars, far in both tails too, by mpmath's
# closed forms (400 digits), compared with SciPy's logcdf and logsf where these keep their digits.
# Run by hand in this folder: pip install scipy mpmath; python3 tails.py

import datetime
import json

import mpmath as mp
import numpy as np
import scipy
from scipy import stats

mp.mp.dps = 400


def normal(z):
    return mp.erfc(-z / mp.sqrt(2)) / 2


FAMILIES = {
    # name: (lower tail, upper tail, SciPy's, parameters, values)
    "Normal": (lambda x, m, s: normal((x - m) / s), lambda x, m, s: normal((m - x) / s),
               lambda m, s: stats.norm(m, s), (1.5, 0.5), [-12, -1, 1.2, 1.5, 4, 20]),
    "LogNormal": (lambda x, m, s: normal((mp.log(x) - m) / s), lambda x, m, s: normal((m - mp.log(x)) / s),
                  lambda m, s: stats.lognorm(s, scale=np.exp(m)), (0.3, 0.4), [1e-3, 0.5, 2, 80]),
    "HalfNormal": (lambda x, s: mp.erf(x / s / mp.sqrt(2)), lambda x, s: mp.erfc(x / s / mp.sqrt(2)),
                   lambda s: stats.halfnorm(scale=s), (2,), [1e-6, 0.5, 3, 40]),
    "Exponential": (lambda x, r: -mp.expm1(-r * x), lambda x, r: mp.exp(-r * x),
                    lambda r: stats.expon(scale=1 / r), (1.7,), [1e-9, 0.3, 5, 400]),
    "Weibull": (lambda x, k, s: -mp.expm1(-(x / s)**k), lambda x, k, s: mp.exp(-(x / s)**k),
                lambda k, s: stats.weibull_min(k, scale=s), (1.6, 3), [1e-4, 1, 6, 90]),
    "Pareto": (lambda x, m, a: 1 - (m / x)**a, lambda x, m, a: (m / x)**a,
               lambda m, a: stats.pareto(a, scale=m), (2, 2.5), [2.001, 3, 1e5]),
    "Logistic": (lambda x, m, s: 1 / (1 + mp.exp(-(x - m) / s)), lambda x, m, s: 1 / (1 + mp.exp((x - m) / s)),
                 lambda m, s: stats.logistic(m, s), (0.5, 2), [-100, 0, 1, 150]),
    "Laplace": (lambda x, m, s: mp.exp((x - m) / s) / 2 if x < m else 1 - mp.exp((m - x) / s) / 2,
                lambda x, m, s: mp.exp((m - x) / s) / 2 if x > m else 1 - mp.exp((x - m) / s) / 2,
                lambda m, s: stats.laplace(m, s), (0.5, 2), [-100, 0.2, 0.9, 150]),
    "Gumbel": (lambda x, m, s: mp.exp(-mp.exp((m - x) / s)), lambda x, m, s: -mp.expm1(-mp.exp((m - x) / s)),
               lambda m, s: stats.gumbel_r(m, s), (0.5, 2), [-8, 0, 3, 59, 62, 200]),
    "Cauchy": (lambda x, m, s: mp.mpf(1) / 2 + mp.atan((x - m) / s) / mp.pi,
               lambda x, m, s: mp.mpf(1) / 2 - mp.atan((x - m) / s) / mp.pi,
               lambda m, s: stats.cauchy(m, s), (0.5, 2), [-1e9, 0, 3, 1e12]),
    "HalfCauchy": (lambda x, s: 2 * mp.atan(x / s) / mp.pi, lambda x, s: 1 - 2 * mp.atan(x / s) / mp.pi,
                   lambda s: stats.halfcauchy(scale=s), (2,), [1e-6, 1, 3, 1e12]),
}

rows = {}
for name, (lower, upper, other, parameters, values) in FAMILIES.items():
    exact = [mp.mpf(float(p)) for p in parameters]
    rows[name] = []
    for x in values:
        tails = [float(mp.log(f(mp.mpf(float(x)), *exact))) for f in (lower, upper)]
        theirs = other(*parameters)
        for ours, scipys in zip(tails, (theirs.logcdf(x), theirs.logsf(x))):
            # Where SciPy has no better way than log(1 - F) it keeps nothing below 1e-16.
            if ours > -30 and abs(ours) > 1e-9:
                assert abs(ours - scipys) < 1e-6 * max(1, abs(ours)), (name, x, ours, scipys)
        rows[name].append([float(x), *map(float, parameters), *tails])

json.dump({
    "generator": f"tails.py, mpmath {mp.__version__}, compared with SciPy {scipy.__version__}",
    "command": "python3 tails.py",
    "date": datetime.date.today().isoformat(),
    "tolerance": "1e-13 of the larger of 1 and the value: some roundings, of arguments too",
    "functions": rows,
}, open("tails.json", "w"), indent=0)
