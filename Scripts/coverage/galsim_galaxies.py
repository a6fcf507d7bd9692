#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws galaxies without noise by GalSim, for `Benchmarks coverage FOLDER`.

Writes galaxies.json (the truth), g0000.fits … (one galaxy each, float64, total flux 1 at infinity, no sky), psf_K.fits and
psf_K_wide.fits (the same PSF, 2 % wider).

The population: n 0.5–6 uniform (GalSim's Sérsic ends at 6.2), log r_eff 0.8–12 pixels, ellip 0–0.85 uniform, any angle, the
centre up to 3 pixels off the middle, frames that are not square and hold six half-light radii to each side. The flux is that of
a signal to noise S/N = sqrt(sum(light^2)) / rms, log S/N 10–1000, where the rms of a pixel is 1.

Conventions: GalSim's half-light radius is that of the circle of the same area, r_eff sqrt(q), and its angle counts from +x; ours
is on the major axis, and counts from +y towards -x. PSF images contain the pixel response, as galaxies do.

Run by hand: pip install galsim astropy; python3 galsim_galaxies.py FOLDER [NUMBER [SEED]]
"""
import json
import os
import sys

import galsim
import numpy as np
from astropy.io import fits

SEED = 20260101
PSFS = {"a": (2.5, 0.0), "b": (3.2, 0.05), "c": (4.0, 0.1)}  # FWHM in pixels, ellipticity 1 - b/a
PSF_SIZE = 51


def point_spread(fwhm, ellip, widening=1.0):
    """A Moffat profile of beta 4, which has little light outside the PSF's image."""
    psf = galsim.Moffat(beta=4, fwhm=fwhm * widening)
    return psf.shear(q=1 - ellip, beta=0.4 * galsim.radians)


def main():
    folder = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else SEED
    os.makedirs(folder, exist_ok=True)
    for name, (fwhm, ellip) in PSFS.items():
        for suffix, widening in (("", 1.0), ("_wide", 1.02)):
            image = point_spread(fwhm, ellip, widening).drawImage(
                nx=PSF_SIZE, ny=PSF_SIZE, scale=1, dtype=float).array
            fits.writeto(os.path.join(folder, f"psf_{name}{suffix}.fits"), image, overwrite=True)
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(count):
        n = rng.uniform(0.5, 6)
        r_eff = np.exp(rng.uniform(np.log(0.8), np.log(12)))
        ellip = rng.uniform(0, 0.85)
        theta = rng.uniform(0, np.pi)
        snr = np.exp(rng.uniform(np.log(10), np.log(1000)))
        name = rng.choice(sorted(PSFS))
        half = 6 * r_eff + 14
        nx = int(2 * half + rng.integers(0, 9))
        ny = int(2 * half + rng.integers(0, 9))
        dx, dy = rng.uniform(-3, 3, 2)
        q = 1 - ellip
        # What folds back, at most 0.4 % of the flux, is spread over a grid far larger than the frame.
        params = galsim.GSParams(folding_threshold=4e-3, maxk_threshold=1e-4, kvalue_accuracy=1e-7,
                                 maximum_fft_size=32768)
        light = galsim.Sersic(n, half_light_radius=r_eff * np.sqrt(q), gsparams=params)
        light = light.shear(q=q, beta=(theta + np.pi / 2) * galsim.radians).shift(dx, dy)
        seen = galsim.Convolve(light, point_spread(*PSFS[name]), gsparams=params)
        image = seen.drawImage(nx=nx, ny=ny, scale=1, dtype=float).array
        flux = snr / np.sqrt((image**2).sum())
        file = f"g{k:04d}.fits"
        fits.writeto(os.path.join(folder, file), image, overwrite=True)
        rows.append({
            "file": file, "psf": name, "fwhm": PSFS[name][0], "snr": snr,
            "xc": (nx - 1) / 2 + dx, "yc": (ny - 1) / 2 + dy, "flux": flux, "r_eff": r_eff, "n": n,
            "ellip": ellip, "theta": theta})
        if k % 50 == 49:
            print(f"{k + 1} of {count}", file=sys.stderr, flush=True)
    with open(os.path.join(folder, "galaxies.json"), "w") as out:
        json.dump({
            "format": "sersic-coverage/1", "generator": f"galsim_galaxies.py, GalSim {galsim.__version__}",
            "galaxies": rows}, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
