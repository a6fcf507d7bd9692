#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes profile_pixels.json: fluxes of Spergel's and Moffat's profiles in single pixels (scipy).

A pixel without the centre by dblquad of the density; the one with the centre in polar coordinates, as the mean over the
angle of the light inside the pixel's edge. Unit flux, r_eff on the major axis, theta from +y towards -x.
Run by hand: python3 profile_pixels.py
"""
import json
import os

import numpy as np
import scipy
from scipy.integrate import dblquad, quad
from scipy.optimize import brentq
from scipy.special import gammaln, kv

XC, YC, REFF, ELLIP, THETA, SIZE = 3.2, 2.85, 1.7, 0.45, 0.6, 7


def spergel(nu):
    m = nu + 1
    outside = lambda x: 2 * (x / 2) ** m * kv(m, x) * np.exp(-gammaln(m))
    c = np.exp(brentq(lambda t: outside(np.exp(t)) - 0.5, -8, 3, xtol=1e-15))
    density = lambda z: c * c / (2 * np.pi) * (c * z / 2) ** nu * kv(nu, c * z) * np.exp(-gammaln(m))
    return density, lambda z: 1 - outside(c * z)


def moffat(beta):
    a = 2 ** (1 / (beta - 1)) - 1
    return (lambda z: (beta - 1) * a / np.pi * (1 + a * z * z) ** -beta,
            lambda z: 1 - (1 + a * z * z) ** (1 - beta))


def image(density, inside):
    s, c, q = np.sin(THETA), np.cos(THETA), 1 - ELLIP
    z = lambda dx, dy: np.hypot((-dx * s + dy * c) / REFF, (dx * c + dy * s) / (REFF * q))
    out = np.zeros((SIZE, SIZE))
    for y in range(SIZE):
        for x in range(SIZE):
            if abs(x - XC) < 0.5 and abs(y - YC) < 0.5:
                # dA = r dr dphi; the density integrates along a ray of angle phi to inside / (2 pi g), g = z^2 / r^2.
                def ray(phi):
                    u, v = np.cos(phi), np.sin(phi)
                    edge = min((x + (0.5 if u > 0 else -0.5) - XC) / u if u else np.inf,
                               (y + (0.5 if v > 0 else -0.5) - YC) / v if v else np.inf)
                    return inside(z(u, v) * edge) / (2 * np.pi * z(u, v) ** 2 * REFF * REFF * q)
                corners = sorted(np.arctan2(y + b - YC, x + a - XC) % (2 * np.pi) for a in (-0.5, 0.5) for b in (-0.5, 0.5))
                edges = [corners[-1] - 2 * np.pi] + corners
                out[y, x] = sum(quad(ray, a, b, epsabs=1e-13, epsrel=1e-13)[0] for a, b in zip(edges, edges[1:]))
            else:
                out[y, x] = dblquad(lambda b, a: density(z(a - XC, b - YC)) / (REFF * REFF * q), x - 0.5, x + 0.5,
                                    y - 0.5, y + 0.5, epsabs=1e-12, epsrel=1e-12)[0]
    return out


def main():
    cases = []
    for kind, shape in (("spergel", -0.85), ("spergel", -0.6), ("spergel", 1.5), ("moffat", 1.5), ("moffat", 3.5)):
        pixels = image(*(spergel(shape) if kind == "spergel" else moffat(shape)))
        cases.append({"kind": kind, "shape": shape, "image": pixels.ravel().tolist()})
        print(kind, shape, pixels.sum(), flush=True)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "profile_pixels.json")
    with open(path, "w") as file:
        json.dump({
            "generator": f"profile_pixels.py, scipy {scipy.__version__}",
            "tolerance": "1e-11, quadrature",
            "size": SIZE, "place": [XC, YC, 1, REFF], "ellipse": [ELLIP, THETA], "cases": cases,
        }, file)
        file.write("\n")


if __name__ == "__main__":
    main()
