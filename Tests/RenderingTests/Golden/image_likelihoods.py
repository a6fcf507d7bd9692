#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes image_likelihoods.json: log likelihoods of a small image by scipy.stats (numpy and scipy).

Run by hand: python3 image_likelihoods.py
"""
import json
import os

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(7)
ny, nx = 7, 5
model = rng.normal(3, 2, (ny, nx))
rms = rng.uniform(0.2, 1.5, (ny, nx))
data = model + rms * rng.standard_t(2, (ny, nx))
data[1, 2] += 400.0
mask = rng.uniform(size=(ny, nx)) < 0.15
good = ~mask
losses = []
for dof, scale in ((5.0, 1.2247449), (5.0, np.sqrt(3 / 5)), (1.5, 0.7), (40.0, 1.0)):
    log_p = stats.t.logpdf(data, dof, loc=model, scale=scale * rms)
    losses.append(dict(dof=dof, scale=scale, total=log_p[good].sum(), pixels=list((log_p * good).ravel())))
normal = stats.norm.logpdf(data, loc=model, scale=rms)
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image_likelihoods.json")
with open(out, "w") as f:
    json.dump({
        "generator": f"image_likelihoods.py, numpy {np.__version__}, scipy {scipy.__version__}",
        "tolerance": "1e-12 of the value: rounding of some tens of terms",
        "width": nx, "height": ny, "model": list(model.ravel()), "rms": list(rms.ravel()),
        "data": list(data.ravel()), "mask": [bool(m) for m in mask.ravel()],
        "gaussian": dict(total=normal[good].sum(), pixels=list((normal * good).ravel())),
        "student": losses}, f, indent=0)
