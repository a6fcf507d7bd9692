# SPDX-License-Identifier: MIT
#
# Makes galaxy.fits.fz: a Gaussian of 41 x 37 pixels with noise, tile-compressed without loss (astropy, numpy).

import numpy as np
from astropy.io import fits

y, x = np.mgrid[0:37, 0:41]
light = 100 * np.exp(-((x - 20.25) ** 2 + (y - 17.5) ** 2) / (2 * 3.0**2)) / (2 * np.pi * 3.0**2)
noise = np.random.default_rng(1).normal(0, 0.02, light.shape)
image = fits.CompImageHDU(
    (light + noise).astype(np.float32), compression_type="GZIP_2", quantize_level=0)
fits.HDUList([fits.PrimaryHDU(), image]).writeto("galaxy.fits.fz", overwrite=True)
