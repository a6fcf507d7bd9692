#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes galsim_galaxies.json: small galaxies and their PSF, without noise, by GalSim; pixels are integrated over.

GalSim's half-light radius is that of the circle of the same area, r_eff sqrt(q), and its angle counts from +x; ours is on the
major axis, and counts from +y towards -x. The first pixel is 0 here; GalSim shifts from the middle of the frame.
Run by hand: python3 galsim_galaxies.py   (pip install galsim)
"""
import json
import os

import galsim
import numpy as np

SEED, COUNT, PSF_SIZE = 5, 12, 25
PARAMS = galsim.GSParams(folding_threshold=4e-3, maxk_threshold=1e-4, kvalue_accuracy=1e-7, maximum_fft_size=16384)


def rounded(image):
    return [float(f"{v:.6e}") for v in image.ravel()]


def main():
    rng = np.random.default_rng(SEED)
    psf = galsim.Moffat(beta=4, fwhm=2.5).shear(q=0.95, beta=0.4 * galsim.radians)
    star = psf.drawImage(nx=PSF_SIZE, ny=PSF_SIZE, scale=1, dtype=float).array
    cases = []
    for k in range(COUNT):
        n, r_eff, ellip = rng.uniform(0.8, 4), rng.uniform(1.2, 2.6), rng.uniform(0.25, 0.7)
        theta, dx, dy = rng.uniform(0, np.pi), *rng.uniform(-1, 1, 2)
        nx, ny, q = int(29 + rng.integers(0, 5)), int(27 + rng.integers(0, 5)), 1 - ellip
        light = galsim.Sersic(n, half_light_radius=r_eff * np.sqrt(q), gsparams=PARAMS)
        light = light.shear(q=q, beta=(theta + np.pi / 2) * galsim.radians).shift(dx, dy)
        image = galsim.Convolve(light, psf, gsparams=PARAMS).drawImage(nx=nx, ny=ny, scale=1, dtype=float).array
        truth = {"xc": (nx - 1) / 2 + dx, "yc": (ny - 1) / 2 + dy, "r_eff": r_eff, "n": n, "ellip": ellip, "theta": theta}
        cases.append({"width": nx, "height": ny, "truth": truth, "image": rounded(image)})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "galsim_galaxies.json")
    with open(path, "w") as file:
        json.dump({
            "generator": f"galsim_galaxies.py, GalSim {galsim.__version__}",
            "tolerance": "none: the images are data; they are good to some 1e-4 of their peak",
            "psf_size": PSF_SIZE, "psf": rounded(star), "cases": cases}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
