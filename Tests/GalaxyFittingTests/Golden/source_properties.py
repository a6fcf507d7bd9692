# SPDX-License-Identifier: MIT
#
# Golden numbers of SourceProperties in pysersic's style: photutils' data_properties and astropy's biweight_scale.
#
# Run by hand:  python3 source_properties.py > source_properties.json
# Each case is an analytic scene which the test draws again by the same formula (TestScene.swift), with noise from
# splitmix64, so that no image needs to be stored.

import json
import sys
import warnings

import astropy
import numpy as np
import photutils
from astropy.stats import biweight_scale
from photutils.morphology import data_properties

from scene import draw

warnings.simplefilter("ignore")


def edge(a, n=5):
    """Return the border pixels, masked or not, as pysersic takes them."""
    return np.concatenate((a[:n], a[-n:], a[n:-n, :n], a[n:-n, -n:]), axis=None)


def measure(case):
    """Return what pysersic's SourceProperties would hold."""
    image, mask = draw(case)
    cat = data_properties(image, mask=mask)
    border = edge(image)
    xy = cat.centroid_win
    return {
        "segment_flux": float(cat.segment_flux),
        "r_eff": float(cat.flux_radius(0.5).value),
        "xc": float(xy[0]),
        "yc": float(xy[1]),
        "kron_radius": float(cat.kron_radius.value),
        "kron_flux": float(cat.kron_flux),
        "orientation_degrees": float(cat.orientation.value),
        "sky": float(np.median(border)),
        "sky_scale": float(biweight_scale(border)),
        "sky_count": int(border.size),
    }


def source(x, y, peak, re, n=1.0, q=0.7, theta=0.6):
    return {"x": x, "y": y, "peak": peak, "re": re, "n": n, "q": q, "theta": theta}


def case(name, width, height, sources, sky=0.0, sigma=0.1, seed=1, holes=()):
    return {
        "name": name, "width": width, "height": height, "sources": sources, "sky": sky,
        "sigma": sigma, "seed": seed, "holes": [dict(zip("xyr", h)) for h in holes],
    }


CASES = [
    case("clean", 61, 61, [source(30.2, 29.7, 50, 4)]),
    case("noiseless", 61, 61, [source(30.2, 29.7, 50, 4)], sigma=0.0),
    case("off-centre", 81, 81, [source(52.3, 30.1, 30, 4, 1, 0.5, 1.2)], seed=2),
    case("neighbour", 81, 81, [source(40.4, 39.8, 30, 4), source(62, 55, 25, 3, 1, 0.9)], seed=3),
    case("masked neighbour", 81, 81, [source(40.4, 39.8, 30, 4), source(62, 55, 90, 3, 1, 0.9)],
         seed=4, holes=[(62, 55, 14)]),
    case("masked core", 71, 71, [source(35.3, 34.8, 60, 6)], seed=5, holes=[(37, 36, 3)]),
    case("masks at random", 71, 71, [source(35.3, 34.8, 60, 6)], seed=6,
         holes=[(10, 12, 5), (50, 20, 4), (33, 60, 6), (28, 31, 2), (69, 1, 4)]),
    case("de Vaucouleurs", 101, 101, [source(50.6, 49.2, 3000, 8, 4, 0.8, 2.5)], seed=7),
    case("small and round", 41, 41, [source(20.1, 20.4, 80, 1.2, 0.5, 1.0, 0)], seed=8),
    case("thin", 91, 91, [source(45.5, 44.5, 40, 9, 1, 0.15, 2.2)], seed=9),
    case("not square", 97, 53, [source(50.2, 25.9, 40, 5, 1.5, 0.6, 0.3)], seed=10),
    case("faint", 61, 61, [source(30.3, 30.9, 1.5, 4)], seed=11),
    case("with sky", 61, 61, [source(30.2, 29.7, 50, 4)], sky=0.3, seed=12),
    case("negative sky", 61, 61, [source(30.2, 29.7, 50, 4)], sky=-0.05, seed=13),
    case("in the corner", 61, 61, [source(5.2, 4.7, 50, 4)], seed=14),
]

json.dump(
    {
        "generator": f"photutils {photutils.__version__}, astropy {astropy.__version__}, "
                     f"numpy {np.__version__}",
        "command": "python3 source_properties.py > source_properties.json",
        "tolerance": 1e-6,
        "reason": "the algorithms are the same; photutils' root finder stops at about 1e-12, its centroid at 1e-4 pixels "
                  "after a step that both take",
        "cases": [dict(c, expected=measure(c)) for c in CASES],
    },
    sys.stdout, indent=1)
