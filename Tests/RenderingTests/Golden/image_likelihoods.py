#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes image_likelihoods.json: log likelihoods of a small image and their derivatives, by mpmath and scipy.stats.

Each density is written from its textbook form and differentiated numerically with 50 digits; where scipy.stats has the
density (norm, t, poisson, genhyperbolic) the value is compared with it here.

Run by hand: python3 image_likelihoods.py   (numpy, scipy, mpmath)
"""
import json
import os

import mpmath as mp
import numpy as np
import scipy
from scipy import stats

mp.mp.dps = 50


def normal(x, s):
    return mp.exp(-(x / s) ** 2 / 2) / (s * mp.sqrt(2 * mp.pi))


def student(x, s, nu):
    # Student 1908, with location 0 and scale s.
    return (mp.gamma((nu + 1) / 2) / (mp.gamma(nu / 2) * mp.sqrt(nu * mp.pi) * s)
            * (1 + (x / s) ** 2 / nu) ** (-(nu + 1) / 2))


def hyperbolic(x, s, delta):
    # Barndorff-Nielsen 1977 with alpha = delta / s, beta = 0, scale delta * s: exp(-delta^2 sqrt(1 + r^2 / delta^2)).
    r = x / s
    return mp.exp(-delta ** 2 * mp.sqrt(1 + (r / delta) ** 2)) / (2 * delta * s * mp.besselk(1, delta ** 2))


def mixture(x, s, rms, c, f):
    # Outliers have c times the rms, whatever is free in the scale of the others.
    return (1 - f) * normal(x, s) + f * normal(x, c * rms)


def density(kind, option, x, s, rms, f):
    if kind == "gaussian":
        return normal(x, s)
    if kind == "student":
        return student(x, s * option[1], mp.mpf(option[0]))
    if kind == "huber":
        return hyperbolic(x, s, mp.mpf(option[0]))
    return mixture(x, s, rms, mp.mpf(option[0]), f)


def log_density(kind, option, freedom, data, model, rms, parameters):
    parameters = list(parameters)
    s = rms
    if freedom == "fraction":
        s = (1 + parameters.pop(0)) * rms
    elif freedom == "systematic":
        s = mp.sqrt(rms ** 2 + parameters.pop(0) ** 2)
    f = parameters.pop(0) if kind == "mixture" else 0
    return mp.log(density(kind, option, data - model, s, rms, f))


def numbers(values):
    return [float(v) for v in values]


rng = np.random.default_rng(7)
ny, nx = 7, 5
model = rng.normal(3, 2, (ny, nx)).ravel()
rms = rng.uniform(0.2, 1.5, (ny, nx)).ravel()
data = model + rms * rng.standard_t(2, (ny, nx)).ravel()
data[7] += 400.0
mask = rng.uniform(size=(ny, nx)).ravel() < 0.15

cases = [("gaussian", [])]
cases += [("student", list(o)) for o in ((5.0, 1.2247449), (5.0, float(np.sqrt(3 / 5))), (1.5, 0.7), (40.0, 1.0))]
cases += [("huber", [o]) for o in (3.0, 0.2, 25.0)]
cases += [("mixture", [o]) for o in (5.0, 1.5)]
losses = []
for kind, option in cases:
    for freedom in (None, "fraction", "systematic"):
        if kind == "student" and freedom and option[0] not in (5.0, 1.5):
            continue
        parameters = {None: [], "fraction": [0.3], "systematic": [0.4 if option != [1.5] else 2.5]}[freedom] + ([0.07] if kind == "mixture" else [])
        p = [mp.mpf(v) for v in parameters]
        values, gradient, by_parameter = [], [], [mp.mpf(0) for _ in p]
        for d, m, s, bad in zip(data, model, rms, mask):
            d, m, s = mp.mpf(float(d)), mp.mpf(float(m)), mp.mpf(float(s))
            if bad:
                values.append(mp.mpf(0))
                gradient.append(mp.mpf(0))
                continue
            values.append(log_density(kind, option, freedom, d, m, s, p))
            gradient.append(mp.diff(lambda v: log_density(kind, option, freedom, d, v, s, p), m))
            for k in range(len(p)):
                by_parameter[k] += mp.diff(
                    lambda v: log_density(kind, option, freedom, d, m, s, p[:k] + [v] + p[k + 1:]), p[k])
        if freedom is None:
            x = (data - model)[~mask]
            s = rms[~mask]
            known = {
                "gaussian": lambda: stats.norm.logpdf(x, scale=s),
                "student": lambda: stats.t.logpdf(x, option[0], scale=option[1] * s),
                # p = 1, a = delta^2, b = 0 of the generalised hyperbolic distribution, scale delta * s.
                "huber": lambda: stats.genhyperbolic.logpdf(x, 1.0, option[0] ** 2, 0.0, scale=option[0] * s),
                "mixture": lambda: np.logaddexp(
                    np.log(0.93) + stats.norm.logpdf(x, scale=s), np.log(0.07) + stats.norm.logpdf(x, scale=option[0] * s)),
            }[kind]()
            ours = np.array(numbers(values))[~mask]
            finite = np.isfinite(known)
            assert np.allclose(known[finite], ours[finite], rtol=1e-9, atol=0), (kind, option)
        losses.append(dict(
            kind=kind, option=option, freedom=freedom, parameters=parameters, total=float(sum(values)),
            pixels=numbers(values), gradient=numbers(gradient), parameter_gradient=numbers(by_parameter)))

# Counts: pixels with none, few and many; a sky that was subtracted; means that are positive.
gain, sky = 2.5, 4.0
mean = rng.uniform(0, 1, (ny, nx)).ravel() ** 4 * 2e5 + 0.02
counts = rng.poisson(mean).astype(float)
counts[:3] = (0, 0, 1)
mean[:3] = (0.02, 0.3, 0.01)
count_data = counts / gain - sky
count_model = mean * rng.uniform(0.98, 1.02, mean.shape) / gain - sky
pixels, gradient = [], []
for d, m, bad in zip(count_data, count_model, mask):
    n, m = mp.nint(mp.mpf(gain) * (mp.mpf(float(d)) + sky)), mp.mpf(float(m))
    if bad:
        pixels.append(mp.mpf(0))
        gradient.append(mp.mpf(0))
        continue
    log_p = lambda v: n * mp.log(gain * (v + sky)) - gain * (v + sky) - mp.loggamma(n + 1)
    pixels.append(log_p(m))
    gradient.append(mp.diff(log_p, m))
known = stats.poisson.logpmf(counts, gain * (count_model + sky))
assert np.allclose(known[~mask], np.array(numbers(pixels))[~mask], rtol=1e-9, atol=1e-9)

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image_likelihoods.json")
with open(out, "w") as f:
    json.dump({
        "generator": f"image_likelihoods.py, numpy {np.__version__}, scipy {scipy.__version__}, mpmath {mp.__version__}",
        "tolerance": "1e-12 of the value: rounding of some tens of terms",
        "width": nx, "height": ny, "model": numbers(model), "rms": numbers(rms),
        "data": numbers(data), "mask": [bool(m) for m in mask], "losses": losses,
        "counts": dict(gain=gain, sky=sky, data=numbers(count_data), model=numbers(count_model),
                       total=float(sum(pixels)), pixels=numbers(pixels), gradient=numbers(gradient))}, f, indent=0)
