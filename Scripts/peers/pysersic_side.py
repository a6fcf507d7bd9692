# SPDX-License-Identifier: MIT
#
# pysersic's side of the comparison: value and gradient of the log posterior of one galaxy in a folder of FITS files, with
# its renderers in Fourier space, compiled, as JSON on standard output. Started by bench_peers.py.

import json
import sys
import time
from pathlib import Path

import jax
import numpy as np
from astropy.io import fits
from numpyro.infer.util import initialize_model
from pysersic import FitSingle
from pysersic.priors import autoprior
from pysersic.rendering import FourierRenderer, HybridRenderer


def main(folder):
    """Measures both renderers on one galaxy."""
    image, rms, psf = (
        fits.getdata(Path(folder) / f"{name}.fits").astype(np.float32)
        for name in ("image", "rms", "psf"))
    mask = np.zeros_like(image)
    prior = autoprior(image, profile_type="sersic", mask=mask, sky_type="none")
    result = {}
    for name, renderer in [("fourier", FourierRenderer), ("hybrid", HybridRenderer)]:
        fit = FitSingle(data=image, rms=rms, psf=psf, prior=prior, mask=mask, renderer=renderer)
        setup = initialize_model(jax.random.PRNGKey(0), fit.build_model())
        both = jax.jit(jax.value_and_grad(setup.potential_fn))
        begin = time.perf_counter()
        value, _ = jax.block_until_ready(both(setup.param_info.z))
        result.setdefault("first_ns", 1e9 * (time.perf_counter() - begin))
        if not np.isfinite(float(value)):
            sys.exit(f"{name}: expected a finite log density, found {value}")
        times = []
        for _ in range(100):
            begin = time.perf_counter()
            jax.block_until_ready(both(setup.param_info.z))
            times.append(1e9 * (time.perf_counter() - begin))
        result[f"{name}_ns"] = float(np.median(times))
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])
