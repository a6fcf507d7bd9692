"""Positions of pixels on the sky by astropy.wcs: python world_coordinates.py.

It projects by WCSLIB, too, but reads headers and applies SIP polynomials by code of its own. Writes world_coordinates.json; first pixel 0.
"""

import json
import pathlib

import astropy
from astropy.io.fits import Header
from astropy.wcs import WCS

TAN = dict(CRVAL1=359.9995, CRVAL2=-45.25, CRPIX1=51.5, CRPIX2=48.0, CUNIT1="deg", CUNIT2="deg")
CASES = [
    ("rotated tangent plane across 0 hours", dict(
        CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CD1_1=-7e-6, CD1_2=4e-6, CD2_1=4e-6, CD2_2=7e-6, **TAN)),
    ("increments and a matrix", dict(
        CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CDELT1=-5e-5, CDELT2=5e-5, PC1_1=0.8, PC1_2=-0.6,
        PC2_1=0.6, PC2_2=0.8, RADESYS="FK5", EQUINOX=2000.0, **TAN)),
    ("polynomial distortion", dict(
        CTYPE1="RA---TAN-SIP", CTYPE2="DEC--TAN-SIP", CD1_1=-1.4e-5, CD1_2=0.0, CD2_1=0.0,
        CD2_2=1.4e-5, A_ORDER=2, B_ORDER=2, A_2_0=2e-5, A_1_1=-1e-5, A_0_2=3e-6, B_2_0=-4e-6,
        B_1_1=2e-5, B_0_2=1e-5, **TAN)),
    ("latitude first", dict(
        CTYPE1="DEC--TAN", CTYPE2="RA---TAN", CD1_1=1e-5, CD1_2=0.0, CD2_1=0.0, CD2_2=-1e-5,
        CRVAL1=20.0, CRVAL2=30.0, CRPIX1=10.0, CRPIX2=12.0, CUNIT1="deg", CUNIT2="deg")),
]

result = []
for name, cards in CASES:
    header = Header()
    for key, value in cards.items():
        header[key] = value
    wcs = WCS(header)
    pixels = [[0.0, 0.0], [50.5, 47.0], [12.25, 90.75]]
    world = wcs.all_pix2world(pixels, 0)
    result.append(dict(
        name=name, cards={k: v for k, v in cards.items()}, pixels=pixels, world=world.tolist(),
        latitudeFirst=cards["CTYPE1"].startswith("DEC")))

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(dict(
    generator=f"astropy {astropy.__version__}", command="python world_coordinates.py",
    date="2026-11-24", tolerance=1e-11,
    reason="degrees of 360 in double precision are good to 6e-14; distortions are sums of some terms",
    cases=result), indent=1) + "\n")
