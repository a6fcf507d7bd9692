#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes pixel_integrals.json: Sersic profiles integrated over pixels, by signed triangles (numpy and scipy).

The flux in a pixel is the sum over its edges of the polar integral of gammainc(2n, b z^(1/n)) dphi / 2 pi, by a 40-point
Gauss-Legendre rule in asinh(t / distance); by_yc is the integral of the density along the lower edge minus that along the
upper edge (Leibniz), by scipy.integrate.quad split at the point nearest the centre.
Run by hand: python3 pixel_integrals.py
"""
import json
import os

import numpy as np
import scipy
from scipy.integrate import quad
from scipy.special import gammainc, gammaincinv, gammaln

G, W = np.polynomial.legendre.leggauss(40)


def edge(w1, w2, n, b):
    e = w2 - w1
    length = np.hypot(*e)
    e = e / length
    d = w1[0] * e[1] - w1[1] * e[0]
    if abs(d) < 1e-13:
        return 0.0
    s1, s2 = np.arcsinh(w1 @ e / abs(d)), np.arcsinh((w1 @ e + length) / abs(d))
    knots = np.linspace(s1, s2, 2 + int((s2 - s1) / (0.5 * min(1, n))))
    total = 0.0
    for a, c in zip(knots[:-1], knots[1:]):
        x = (a + c) / 2 + (c - a) / 2 * G
        total += (c - a) / 2 * (W * gammainc(2 * n, b * (abs(d) * np.cosh(x)) ** (1 / n)) / np.cosh(x)).sum()
    return np.sign(d) * total / 2 / np.pi


def image(nx, ny, xc, yc, r_eff, n, ellip, theta):
    b = gammaincinv(2 * n, 0.5)
    s, c = np.sin(theta), np.cos(theta)
    q = 1 - ellip
    m = np.array([[-s / r_eff, c / r_eff], [-c / (r_eff * q), -s / (r_eff * q)]])
    v = np.array([[m @ np.array([j - 0.5 - xc, i - 0.5 - yc]) for j in range(nx + 1)] for i in range(ny + 1)])
    h = np.array([[edge(v[i, j], v[i, j + 1], n, b) for j in range(nx)] for i in range(ny + 1)])
    u = np.array([[edge(v[i, j], v[i + 1, j], n, b) for j in range(nx + 1)] for i in range(ny)])
    flux = h[:-1] - h[1:] + u[:, 1:] - u[:, :-1]

    def density(x, y):
        w = m @ np.array([x - xc, y - yc])
        peak = np.exp(2 * n * np.log(b) - gammaln(2 * n)) / (2 * np.pi * n * r_eff**2 * q)
        return peak * np.exp(-b * np.hypot(*w) ** (1 / n))

    def along(i, j):
        y = i - 0.5
        k = -(m[:, 0] @ m[:, 1]) / (m[:, 0] @ m[:, 0])
        near = min(max(xc + k * (y - yc), j - 0.5), j + 0.5)
        # With x = near + u^12 the cusp |x - near|^(1/n) is smooth enough for quad.
        parts = [quad(lambda u, g=g: density(near + g * u**12, y) * 12 * u**11, 0, abs(end - near) ** (1 / 12),
                      epsabs=1e-15, epsrel=1e-12, limit=400)[0] for g, end in ((-1, j - 0.5), (1, j + 0.5))]
        return sum(parts)

    e = np.array([[along(i, j) for j in range(nx)] for i in range(ny + 1)])
    return flux, e[:-1] - e[1:]


CASES = [
    dict(nx=11, ny=8, xc=5.3, yc=3.6, r_eff=6.0, n=4.0, ellip=0.4, theta=2.2),
    dict(nx=11, ny=8, xc=5.3, yc=3.6, r_eff=3.0, n=10.0, ellip=0.9, theta=0.3),
    dict(nx=11, ny=8, xc=5.0, yc=3.5, r_eff=0.3, n=6.0, ellip=0.95, theta=0.3),
    dict(nx=11, ny=8, xc=5.5, yc=3.5, r_eff=1.0, n=0.3, ellip=0.0, theta=0.3),
    dict(nx=11, ny=8, xc=2.0, yc=4.1, r_eff=0.3, n=0.3, ellip=0.6, theta=1.0),
    dict(nx=11, ny=8, xc=4.4, yc=4.2, r_eff=100.0, n=1.0, ellip=0.7, theta=3.0),
    dict(nx=11, ny=8, xc=4.4, yc=4.2, r_eff=100.0, n=10.0, ellip=0.2, theta=3.0),
    dict(nx=11, ny=8, xc=-7.3, yc=12.9, r_eff=5.0, n=2.5, ellip=0.5, theta=0.8),
]
rows = []
for case in CASES:
    flux, by_yc = image(**case)
    rows.append(dict(case, flux=list(flux.ravel()), by_yc=list(by_yc.ravel())))
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pixel_integrals.json")
with open(out, "w") as f:
    json.dump({
        "generator": f"pixel_integrals.py, numpy {np.__version__}, scipy {scipy.__version__}",
        "tolerance": "flux 1e-11 of the largest (gammainc is good to some 1e-13); by_yc 1e-10 of the largest (quad at a cusp)",
        "cases": rows}, f, indent=0)
