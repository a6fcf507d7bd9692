# SPDX-License-Identifier: MIT
#
# Writes log_probabilities.json: rows of (value, parameters…, log probability), by SciPy and, where SciPy loses digits, mpmath.
# Run by hand in this folder: python3 log_probabilities.py

import datetime
import json
import math

import mpmath as mp
import scipy
from scipy import stats

mp.mp.dps = 50


def rows(function, parameters, values):
    return [[float(x), *map(float, p), float(function(x, *p))] for p in parameters for x in values(*p)]


def spread(loc, scale):
    """Values around a location: the middle, the flanks, the far tails."""
    return [loc + scale * z for z in (-1e6, -40, -3, -0.5, 0, 1e-8, 0.7, 2, 12, 1e5)]


def positive(scale):
    return [scale * z for z in (1e-300, 1e-8, 0.01, 0.4, 1, 1.7, 6, 40, 1e4)]


pairs = [(0, 1), (-2.5, 0.3), (1e4, 1e-3)]


def truncated(x, loc, scale, low, high):
    phi = lambda z: mp.erfc(-z / mp.sqrt(2)) / 2
    with mp.workdps(1200):
        x, loc, scale, low, high = map(mp.mpf, (x, loc, scale, low, high))
        mass = phi((high - loc) / scale) - phi((low - loc) / scale)
        return mp.log(mp.npdf((x - loc) / scale)) - mp.log(scale) - mp.log(mass)


def wrapped(x, loc, scale, period):
    return mp.log(mp.fsum(mp.npdf(mp.mpf(x) - loc + k * mp.mpf(period), 0, scale) for k in range(-200, 201)))


def beta(x, a, b):
    x, a, b = map(mp.mpf, (x, a, b))
    return (a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x) - mp.log(mp.beta(a, b))


def counts(f):
    """A log probability of counts in 50 digits, so that nothing cancels in the reference."""
    return lambda k, *p: f(mp.mpf(k), *map(mp.mpf, p))


def log_choose(n, k):
    return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)


def beta_binomial(k, n, a, b):
    return log_choose(n, k) + mp.log(mp.beta(k + a, n - k + b)) - mp.log(mp.beta(a, b))


def negative_binomial(k, mean, phi):
    return (mp.loggamma(k + phi) - mp.loggamma(phi) - mp.loggamma(k + 1)
            + phi * mp.log(phi / (phi + mean)) + k * mp.log(mean / (phi + mean)))


def skew_normal(x, m, s, a):
    with mp.workdps(1200):
        z = (mp.mpf(x) - m) / s
        return mp.log(2) + mp.log(mp.npdf(z)) + mp.log(mp.erfc(-a * z / mp.sqrt(2)) / 2) - mp.log(s)


def von_mises(x, m, k):
    return k * mp.cos(mp.mpf(x) - m) - mp.log(2 * mp.pi) - mp.log(mp.besseli(0, mp.mpf(k)))


def kumaraswamy(x, a, b):
    x, a, b = map(mp.mpf, (x, a, b))
    return mp.log(a * b) + (a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x ** a)


functions = {
    "Normal": rows(lambda x, m, s: stats.norm.logpdf(x, m, s), pairs, spread),
    "HalfNormal": rows(lambda x, s: stats.halfnorm.logpdf(x, 0, s), [(1,), (2.5,)], lambda s: [0] + positive(s)),
    "LogNormal": rows(lambda x, m, s: stats.lognorm.logpdf(x, s, 0, math.exp(m)), [(0, 1), (2, 0.3)],
                      lambda m, s: positive(1)),
    "Uniform": rows(lambda x, a, b: stats.uniform.logpdf(x, a, b - a), [(0, 1), (-3, 5)],
                    lambda a, b: [a, b, (a + b) / 2]),
    "StudentT": rows(lambda x, n, m, s: stats.t.logpdf(x, n, m, s), [(5, 0, 1), (0.7, -1, 3), (200, 2, 0.1)],
                     lambda n, m, s: spread(m, s)),
    "Cauchy": rows(lambda x, m, s: stats.cauchy.logpdf(x, m, s), pairs, spread),
    "HalfCauchy": rows(lambda x, s: stats.halfcauchy.logpdf(x, 0, s), [(1,), (5,)], lambda s: [0] + positive(s)),
    "Gamma": rows(lambda x, a, r: stats.gamma.logpdf(x, a, 0, 1 / r), [(1, 1), (0.1, 2), (3, 0.5), (80, 10)],
                  lambda a, r: positive(a / r)),
    "InverseGamma": rows(lambda x, a, b: stats.invgamma.logpdf(x, a, 0, b), [(1, 1), (0.5, 2), (7, 3)],
                         lambda a, b: positive(b)[2:]),
    "Beta": rows(beta, [(1, 1), (2, 3), (0.5, 0.5), (40, 0.1)],
                 lambda a, b: [1e-300, 1e-10, 0.1, 0.5, 0.9, 1 - 1e-10]),
    "Exponential": rows(lambda x, r: stats.expon.logpdf(x, 0, 1 / r), [(1,), (4,)], lambda r: [0] + positive(1 / r)),
    "Laplace": rows(lambda x, m, s: -abs(x - m) / s - math.log(2 * s), pairs, spread),
    "Logistic": rows(lambda x, m, s: stats.logistic.logpdf(x, m, s), pairs, spread),
    "Poisson": rows(counts(lambda k, r: k * mp.log(r) - r - mp.loggamma(k + 1)), [(0.3,), (7,), (1e4,)], lambda r: [0, 1, 5, 40, 10000]),
    "Bernoulli": rows(lambda k, l: -mp.log1p(mp.exp(-l if k else l)), [(0,), (2.5,), (-700,), (40,)], lambda l: [0, 1]),
    "ChiSquared": rows(lambda x, n: stats.chi2.logpdf(x, n), [(1,), (3.5,), (40,)], positive),
    "HalfStudentT": rows(lambda x, n, s: math.log(2) + stats.t.logpdf(x, n, 0, s), [(3, 1), (0.8, 2.5), (100, 0.2)],
                         lambda n, s: [0] + positive(s)),
    "Weibull": rows(lambda x, k, s: stats.weibull_min.logpdf(x, k, 0, s), [(1.5, 1), (0.7, 3), (8, 0.5)],
                    lambda k, s: [s * z for z in (1e-6, 0.1, 0.9, 1.4)]),
    "Pareto": rows(lambda x, m, a: stats.pareto.logpdf(x, a, 0, m), [(1, 2), (0.3, 0.7), (50, 9)],
                   lambda m, a: [m, 1.001 * m, 3 * m, 1e6 * m]),
    "Gumbel": rows(lambda x, m, s: stats.gumbel_r.logpdf(x, m, s), pairs, lambda m, s: [m + s * z for z in (-5, -1, 0, 2, 700)]),
    "Kumaraswamy": rows(kumaraswamy, [(2, 3), (0.5, 0.5), (5, 0.2)], lambda a, b: [1e-10, 0.1, 0.5, 0.9, 1 - 1e-10]),
    "SkewNormal": rows(skew_normal, [(0, 1, 3), (1, 0.5, -2), (0, 1, 0)], lambda m, s, a: [m + s * z for z in (-15, -2, 0, 1, 9)]),
    "AsymmetricLaplace": rows(lambda x, m, s, k: stats.laplace_asymmetric.logpdf(x, k, m, s), [(0, 1, 2), (1, 0.4, 0.6)],
                              lambda m, s, k: [m + s * z for z in (-50, -1, 0, 1, 50)]),
    "VonMises": rows(von_mises, [(0, 0), (1, 0.5), (-2, 25), (0.3, 35), (3, 1e4)], lambda m, k: [m - 3, m, m + 0.1, m + 2]),
    "Binomial": rows(counts(lambda k, n, p: log_choose(n, k) + k * mp.log(p) + (n - k) * mp.log1p(-p)),
                     [(10, 0.25), (1000, 0.5), (1, 0.75), (1000000, 0.001953125)], lambda n, p: [0, 1, round(n * p), n]),
    "BetaBinomial": rows(counts(beta_binomial), [(10, 2, 3), (200, 0.5, 40), (50, 1e6, 3e6)], lambda n, a, b: [0, 1, n // 3, n]),
    "NegativeBinomial": rows(counts(negative_binomial), [(3, 2), (100, 0.1), (7, 1e8), (40, 90), (12, 1e12)],
                             lambda m, f: [0, 1, round(m), 10 * m]),
    "Geometric": rows(counts(lambda k, p: k * mp.log1p(-p) + mp.log(p)), [(0.25,), (0.875,), (1 / 1024,)], lambda p: [0, 1, 30]),
    "TruncatedNormal": rows(truncated, [(0, 1, -1, 2), (0, 1, 8, 9), (0, 1, -45, -44), (5, 2, 0.5, 1e9), (0, 1, 45, 1e9),
                                        (1, 1, -1e9, -30), (3, 0.5, 2.9, 3.1)],
                            lambda m, s, a, b: [a + f * (min(b, a + 3) - a) for f in (0, 0.2, 0.5, 1)] if a > -1e8
                            else [b - 3, b - 0.5, b]),
    "WrappedNormal": rows(wrapped, [(1, 0.2, math.pi), (0, 0.94, math.pi), (0, 0.95, math.pi), (-3, 40, 2)],
                          lambda m, s, p: [m - 0.4 * p, m, m + 0.1 * p, m + 0.5 * p, m + 7.2 * p]),
}
json.dump({
    "generator": f"log_probabilities.py, SciPy {scipy.__version__}, mpmath {mp.__version__}",
    "command": "python3 log_probabilities.py",
    "date": datetime.date.today().isoformat(),
    "tolerance": "1e-12 of the larger of 1 and the value: SciPy's own rounding, some roundings of its largest term",
    "functions": functions,
}, open("log_probabilities.json", "w"), indent=0)
