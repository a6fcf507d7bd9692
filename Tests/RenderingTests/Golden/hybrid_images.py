#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes hybrid_images.json: images by pysersic's HybridRenderer, in double precision.

Run by hand where pysersic 0.1.5 is installed: python3 hybrid_images.py
"""
import json
import os
from importlib.metadata import version

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
from pysersic.rendering import HybridRenderer

SIZE = 24


def point_spread():
    """A lopsided PSF of 9 x 9 pixels with sum 1."""
    y, x = np.mgrid[:9, :9] - 4.0
    psf = np.exp(-0.3 * x * x - 0.1 * x * y - 0.2 * y * y) * (1 + 0.3 * np.tanh(x + 0.5 * y))
    return psf / psf.sum()


def main():
    psf = point_spread()
    renderer = HybridRenderer((SIZE, SIZE), jnp.asarray(psf))
    place = {"xc": 11.3, "yc": 12.6, "flux": 100.0, "theta": 0.7}
    sources = [
        ("sersic", {"r_eff": 3.0, "n": 1.0, "ellip": 0.3}),
        ("sersic", {"r_eff": 5.5, "n": 2.37, "ellip": 0.6}),
        ("sersic", {"r_eff": 2.0, "n": 0.65, "ellip": 0.1}),
        ("sersic", {"r_eff": 4.0, "n": 7.99, "ellip": 0.5}),
        ("exp", {"r_eff": 4.0, "ellip": 0.2}),
        ("dev", {"r_eff": 3.0, "ellip": 0.4}),
    ]
    cases = []
    for kind, shape in sources:
        parameters = {**place, **shape}
        image = np.asarray(renderer.render_source(parameters, kind))
        assert image.dtype == np.float64
        cases.append({"kind": kind, "parameters": parameters, "image": image.ravel().tolist()})
    star = {"xc": 10.4, "yc": 13.1, "flux": 7.0}
    cases.append({
        "kind": "pointsource", "parameters": star,
        "image": np.asarray(renderer.render_source(star, "pointsource")).ravel().tolist()})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hybrid_images.json")
    with open(path, "w") as file:
        json.dump({
            "generator": f"hybrid_images.py, pysersic {version('pysersic')}, jax {version('jax')}, "
                         f"interpax {version('interpax')}",
            "tolerance": "1e-9 of the peak: sums of twenty-one terms of 1e3 that cancel, in double precision",
            "size": SIZE, "psf_size": 9, "psf": psf.ravel().tolist(), "cases": cases,
        }, file)
        file.write("\n")


if __name__ == "__main__":
    main()
