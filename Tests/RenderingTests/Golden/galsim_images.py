#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes galsim_images.json: profiles through a Gaussian PSF, sampled at pixel centres, by GalSim.

GalSim's half-light radius is that of the circle of the same area, r_eff sqrt(q), and its angle counts from +x; ours is on the
major axis, and counts from +y towards -x. The first pixel is 0 here; GalSim shifts from the middle of the frame.
Run by hand: python3 galsim_images.py   (pip install galsim)
"""
import json
import os

import galsim
import numpy as np

NX, NY, SIGMA = 33, 28, 1.8
PARAMS = galsim.GSParams(folding_threshold=1e-4, maxk_threshold=1e-6, kvalue_accuracy=1e-8, maximum_fft_size=16384)
PLACE = {"xc": 15.3, "yc": 14.6, "flux": 100.0, "r_eff": 3.7, "ellip": 0.35, "theta": 0.6}
CASES = [
    ("gaussian", None), ("exp", None), ("sersic", 1.7), ("spergel", -0.6), ("spergel", -0.2),
    ("spergel", 0.5), ("spergel", 2.5), ("moffat", 2.3), ("moffat", 3.5), ("moffat", 8.0),
]


def profile(kind, shape, radius):
    kw = dict(half_light_radius=radius, flux=PLACE["flux"], gsparams=PARAMS)
    return {
        "gaussian": lambda: galsim.Gaussian(**kw), "exp": lambda: galsim.Exponential(**kw),
        "sersic": lambda: galsim.Sersic(shape, **kw),
        "spergel": lambda: galsim.Spergel(shape, **kw), "moffat": lambda: galsim.Moffat(shape, **kw),
    }[kind]()


def main():
    cases = []
    q = 1 - PLACE["ellip"]
    for kind, shape in CASES:
        light = profile(kind, shape, PLACE["r_eff"] * np.sqrt(q))
        light = light.shear(q=q, beta=(PLACE["theta"] + np.pi / 2) * galsim.radians)
        light = light.shift(PLACE["xc"] - (NX - 1) / 2, PLACE["yc"] - (NY - 1) / 2)
        seen = galsim.Convolve(light, galsim.Gaussian(sigma=SIGMA, gsparams=PARAMS), gsparams=PARAMS)
        image = seen.drawImage(nx=NX, ny=NY, scale=1, method="no_pixel", dtype=float).array
        print(kind, shape, image.max(), image.sum(), flush=True)
        cases.append({"kind": kind, "shape": shape, "image": [float(f"{v:.9e}") for v in image.ravel()]})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "galsim_images.json")
    with open(path, "w") as file:
        json.dump({
            "generator": f"galsim_images.py, GalSim {galsim.__version__}",
            "tolerance": "1e-4 of the peak: the folding of GalSim's transforms",
            "width": NX, "height": NY, "sigma": SIGMA,
            "place": [PLACE[k] for k in ("xc", "yc", "flux", "r_eff")],
            "ellipse": [PLACE["ellip"], PLACE["theta"]], "cases": cases,
        }, file)
        file.write("\n")


if __name__ == "__main__":
    main()
