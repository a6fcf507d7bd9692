#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes radial_forms.json: Spergel's and Moffat's profiles at unit flux and half-light radius 1 (mpmath, 20 digits).

Spergel: density c^2/(2 pi) (x/2)^nu K_nu(x) / Gamma(nu + 1), x = c z; transform (1 + (kappa/c)^2)^(-1 - nu); light outside z
2 (x/2)^m K_m(x) / Gamma(m), m = nu + 1, which is compared with the quadrature of the density at one radius; c where it is
1/2. Moffat: density (beta - 1)/(pi alpha^2) (1 + (z/alpha)^2)^(-beta); its transform is Spergel's light outside with
m = beta - 1, x = alpha kappa, which is compared with the Hankel integral at one frequency.
Run by hand: python3 radial_forms.py
"""
import json
import os

import mpmath
from mpmath import mp, mpf

mp.dps = 20
RADII = ("1e-4", "0.01", "0.3", "1", "2.5", "8")
FREQUENCIES = ("0.01", "0.3", "1", "2.5", "9", "60")


def decay(m, x):
    return 2 * (x / 2) ** m * mpmath.besselk(m, x) / mpmath.gamma(m)


def spergel(nu):
    nu = mpf(nu)
    f = lambda x: (x / 2) ** nu * mpmath.besselk(nu, x) / mpmath.gamma(nu + 1)
    start = max(mpf("0.809") + mpf("0.187") * nu + mpf("1.139") * mpmath.log(mpf("1.479") + nu), mpf("0.005"))
    c = mpmath.exp(mpmath.findroot(lambda t: decay(nu + 1, mpmath.exp(t)) - mpf("0.5"), mpmath.log(start)))
    check = mpmath.quad(lambda t: t * f(t), [c, 2 * c, 5 * c + 1, 5 * c + 10, 5 * c + 60])
    assert abs(check - mpf("0.5")) < 1e-12, check
    return {
        "kind": "spergel", "shape": float(nu),
        "density": [float(c * c * f(c * mpf(z)) / (2 * mp.pi)) for z in RADII],
        "outside": [float(decay(nu + 1, c * mpf(z))) for z in RADII],
        "transform": [float((1 + (mpf(k) / c) ** 2) ** (-1 - nu)) for k in FREQUENCIES],
    }


def moffat(beta):
    beta = mpf(beta)
    alpha = 1 / mpmath.sqrt(mpf(2) ** (1 / (beta - 1)) - 1)
    density = lambda z: (beta - 1) / (mp.pi * alpha ** 2) * (1 + (z / alpha) ** 2) ** (-beta)
    k = mpf("2.5")
    integral = 2 * mp.pi * mpmath.quadosc(
        lambda z: z * density(z) * mpmath.besselj(0, k * z), [0, mp.inf], zeros=lambda n: mpmath.besseljzero(0, n) / k)
    assert abs(integral - decay(beta - 1, alpha * k)) < 1e-10, integral
    return {
        "kind": "moffat", "shape": float(beta),
        "density": [float(density(mpf(z))) for z in RADII],
        "outside": [float((1 + (mpf(z) / alpha) ** 2) ** (1 - beta)) for z in RADII],
        "transform": [float(decay(beta - 1, alpha * mpf(k))) for k in FREQUENCIES],
    }


def main():
    cases = [spergel(nu) for nu in ("-0.85", "-0.6", "-0.3", "0", "0.5", "1.7", "4", "9")]
    cases += [moffat(beta) for beta in ("1.6", "2.5", "3", "4.765", "20")]
    for case in cases:
        print(case, flush=True)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "radial_forms.json")
    with open(path, "w") as file:
        json.dump({
            "generator": f"radial_forms.py, mpmath {mpmath.__version__}",
            "tolerance": "1e-15, at 20 digits",
            "radii": [float(z) for z in RADII],
            "frequencies": [float(k) for k in FREQUENCIES],
            "cases": cases,
        }, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
