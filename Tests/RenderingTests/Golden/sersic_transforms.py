#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes sersic_transforms.json: radial Fourier transforms of Sersic profiles by Hankel integrals (mpmath).

F(kappa) = integral of z exp(-b z^(1/n)) J0(kappa z) dz over its value at kappa = 0. For n <= 1 by mpmath.quad between the
zeros of J0 until the profile has fallen to 1e-19; for n > 1 the path is turned to the imaginary axis, where J0 = Re H0
becomes K0 and nothing oscillates: F = -2/pi Im integral of y exp(-b (iy)^(1/n)) K0(kappa y) dy.
Run by hand: python3 sersic_transforms.py
"""
import json
import os

import mpmath
from mpmath import mp, mpf

mp.dps = 25


def transform(n, kappa):
    n, kappa = mpf(n), mpf(kappa)
    b = mpmath.findroot(
        lambda x: mpmath.gammainc(2 * n, 0, x, regularized=True) - mpf("0.5"), 2 * n - mpf(1) / 3 + mpf("0.01") / n)
    norm = mpmath.gamma(2 * n) * n / b ** (2 * n)
    if n > 1:
        turn = mpmath.expj(mp.pi / (2 * n))
        g = lambda y: y * mpmath.exp(-b * y ** (1 / n) * turn).imag * mpmath.besselk(0, kappa * y)
        nodes = [mpf(0)] + [mpf(10) ** j / kappa for j in range(-24, 2)] + [mpf(60) / kappa]
        return float(-2 / mp.pi * mpmath.quad(g, nodes) / norm)
    f = lambda z: z * mpmath.exp(-b * z ** (1 / n)) * mpmath.besselj(0, kappa * z)
    end = (mpf(45) / b) ** n
    cycles = end * kappa / mp.pi
    nodes = [mpf(0)] + [end * mpf(2) ** (-j) for j in range(12, 0, -1)]
    nodes += [mpmath.besseljzero(0, k) / kappa for k in range(1, int(cycles) + 2)]
    nodes = sorted(set(x for x in nodes if x < end)) + [end]
    value = mpmath.quad(f, nodes)
    return float(value / norm)


def main():
    cases = []
    for n in ("0.3", "0.5", "0.77", "1", "1.9", "3.3", "4", "6.1", "8", "10"):
        for kappa in ("0.013", "0.4", "0.97", "1.9", "7.3", "31"):
            value = transform(n, kappa)
            cases.append({"n": float(n), "kappa": float(kappa), "value": value})
            print(cases[-1], flush=True)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sersic_transforms.json")
    with open(path, "w") as file:
        json.dump({
            "generator": f"sersic_transforms.py, mpmath {mpmath.__version__}",
            "tolerance": "1e-13, quadrature at 25 digits",
            "cases": cases,
        }, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
