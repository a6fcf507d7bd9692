#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws galaxies without noise by GalSim, for `Benchmarks coverage FOLDER`.

Writes galaxies.json (the truth), g0000.fits … (one galaxy each, float64, total flux 1 at infinity, no sky), psf_K.fits and
psf_K_wide.fits (the same PSF, 2 % wider).

The population: n 0.5–6 uniform, log r_eff 0.8–12 pixels, ellip 0–0.85 uniform, any angle, the centre up to 3 pixels off the
middle, frames that are not square and hold six half-light radii to each side. The flux is that of a signal to noise S/N =
sqrt(sum(light^2)) / rms, log S/N 10–1000, where the rms of a pixel is 1. With --wide n is uniform from 0.3 to 10 and ellip from
0 to 0.95, as the automatic priors have them.

GalSim's Sérsic ends at n 6.2. What lies beyond is a sum of some hundred of GalSim's Gaussians, fitted to the profile over
fourteen decades of its light: flux per logarithm of the radius is right to 1e-7 of the most there is of it.

Conventions: GalSim's half-light radius is that of the circle of the same area, r_eff sqrt(q), and its angle counts from +x; ours
is on the major axis, and counts from +y towards -x. PSF images contain the pixel response, as galaxies do.

Run by hand: pip install galsim astropy scipy; python3 galsim_galaxies.py FOLDER [NUMBER [SEED]] [--wide]
"""
import json
import os
import sys

import galsim
import numpy as np
from astropy.io import fits
from scipy.special import gamma, gammaincinv

SEED = 20260101
PSFS = {"a": (2.5, 0.0), "b": (3.2, 0.05), "c": (4.0, 0.1)}  # FWHM in pixels, ellipticity 1 - b/a
PSF_SIZE = 51
PSF_ANGLE = 0.4  # of its long axis from +x, radians
WIDE = 12  # pixels: the short axis of a Gaussian before which a PSF is as good as its second moments


def point_spread(fwhm, ellip, widening=1.0):
    """A Moffat profile of beta 4, which has little light outside the PSF's image."""
    psf = galsim.Moffat(beta=4, fwhm=fwhm * widening)
    return psf.shear(q=1 - ellip, beta=PSF_ANGLE * galsim.radians)


def gaussians(n):
    """Widths in half-light radii and fluxes of round Gaussians that add up to a Sérsic profile of unit flux."""
    b = gammaincinv(2 * n, 0.5)
    r = np.exp(np.linspace(np.log(1e-9), np.log(1e7), 1900))
    profile = np.exp(-b * r ** (1 / n))
    seen = profile * r**2 > 1e-14 * (profile * r**2).max()
    r, profile = r[seen], profile[seen]
    widths = np.exp(np.arange(np.log(r[0]), np.log(r[-1] / 2), 0.25))
    # Errors count as a part of the profile, less where there is little light.
    weight = r / np.sqrt(profile * r**2).max() / np.sqrt(profile)
    parts = np.exp(-0.5 * (r[:, None] / widths) ** 2)
    parts = parts * weight[:, None]
    norms = np.linalg.norm(parts, axis=0)
    heights = np.linalg.lstsq(parts / norms, profile * weight, rcond=1e-11)[0] / norms
    error = np.abs((parts @ heights / weight - profile) * r**2).max() / (profile * r**2).max()
    total = 2 * np.pi * n * gamma(2 * n) * b ** (-2 * n)
    fluxes = heights * 2 * np.pi * widths**2 / total
    assert error < 1e-7 and abs(fluxes.sum() - 1) < 1e-9, (n, error, fluxes.sum() - 1)
    return list(zip(widths, fluxes))


def covariance(sigma, q, angle):
    """The covariance of a Gaussian of area 2 pi sigma^2 with the axis ratio q, its long axis at an angle from +x."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ np.diag([sigma**2 / q, sigma**2 * q]) @ turn.T


def gaussian(matrix, flux):
    """A Gaussian of given covariance."""
    (small, large), axes = np.linalg.eigh(matrix)
    angle = np.arctan2(axes[1, 1], axes[0, 1])
    light = galsim.Gaussian(sigma=(small * large) ** 0.25, flux=flux)
    return light.shear(q=np.sqrt(small / large), beta=angle * galsim.radians)


def draw(n, radius, q, angle, dx, dy, psf_name, nx, ny):
    """The image of a galaxy of unit flux; `radius` is that of the circle of the same area, `angle` counts from +x."""
    # What folds back, at most 0.4 % of the flux, is spread over a grid far larger than the frame.
    params = galsim.GSParams(folding_threshold=4e-3, maxk_threshold=1e-4, kvalue_accuracy=1e-7,
                             maximum_fft_size=32768)
    fwhm, ellip = PSFS[psf_name]
    psf = point_spread(fwhm, ellip)

    def seen(light):
        light = light.shear(q=q, beta=angle * galsim.radians).shift(dx, dy)
        return galsim.Convolve(light, psf, gsparams=params).drawImage(nx=nx, ny=ny, scale=1, dtype=float).array

    if n <= 6.2:
        return seen(galsim.Sersic(n, half_light_radius=radius, gsparams=params))
    parts = [(width * radius, flux) for width, flux in gaussians(n)]
    # Of a PSF and a pixel before a Gaussian five times as wide only the second moments are left: alpha^2 / 4 for a Moffat profile of
    # beta 4, and 1/12.
    short = [sigma * np.sqrt(q) for sigma, _ in parts]
    alpha = fwhm / (2 * np.sqrt(2**0.25 - 1))
    blur = covariance(alpha / 2, 1 - ellip, PSF_ANGLE) + np.eye(2) / 12
    total = np.zeros((ny, nx))
    # Few of them need the large grids that the widest do.
    for low, high in ((0, 2), (2, WIDE)):
        group = [part for part, width in zip(parts, short) if low <= width < high]
        # Below a thousandth of a pixel all is a point.
        total += seen(galsim.Sum([galsim.Gaussian(sigma=max(sigma, 1e-3), flux=flux) for sigma, flux in group]))
    for sigma, flux in (part for part, width in zip(parts, short) if width >= WIDE):
        light = gaussian(covariance(sigma, q, angle) + blur, flux).shift(dx, dy)
        total += light.drawImage(nx=nx, ny=ny, scale=1, dtype=float, method="no_pixel").array
    return total


def main():
    words = [word for word in sys.argv[1:] if word != "--wide"]
    is_wide = "--wide" in sys.argv
    folder = words[0]
    count = int(words[1]) if len(words) > 1 else 1000
    seed = int(words[2]) if len(words) > 2 else SEED
    os.makedirs(folder, exist_ok=True)
    for name, (fwhm, ellip) in PSFS.items():
        for suffix, widening in (("", 1.0), ("_wide", 1.02)):
            image = point_spread(fwhm, ellip, widening).drawImage(
                nx=PSF_SIZE, ny=PSF_SIZE, scale=1, dtype=float).array
            fits.writeto(os.path.join(folder, f"psf_{name}{suffix}.fits"), image, overwrite=True)
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(count):
        n = rng.uniform(*((0.3, 10) if is_wide else (0.5, 6)))
        r_eff = np.exp(rng.uniform(np.log(0.8), np.log(12)))
        ellip = rng.uniform(0, 0.95 if is_wide else 0.85)
        theta = rng.uniform(0, np.pi)
        snr = np.exp(rng.uniform(np.log(10), np.log(1000)))
        name = rng.choice(sorted(PSFS))
        half = 6 * r_eff + 14
        nx = int(2 * half + rng.integers(0, 9))
        ny = int(2 * half + rng.integers(0, 9))
        dx, dy = rng.uniform(-3, 3, 2)
        q = 1 - ellip
        image = draw(n, r_eff * np.sqrt(q), q, theta + np.pi / 2, dx, dy, name, nx, ny)
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
