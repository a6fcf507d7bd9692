# SPDX-License-Identifier: MIT
#
# Golden numbers of SourceDetection: what Python's sep finds in an analytic scene of several sources.
#
# Run by hand:  python3 detection.py > detection.json   (needs numpy and sep; scene.py beside it draws)

import json
import sys

import numpy as np
import sep

from scene import draw


def source(x, y, peak, re, n, q, theta):
    return dict(x=x, y=y, peak=peak, re=re, n=n, q=q, theta=theta)


case = dict(
    name="field", width=140, height=110, sky=0.3, sigma=0.05, seed=21,
    sources=[
        source(40.3, 35.8, 20, 4.0, 1.0, 0.6, 0.4),
        source(95.1, 70.4, 12, 5.0, 1.5, 0.8, 2.0),
        source(104.6, 78.2, 6, 2.5, 1.0, 0.9, 1.0),
        source(25.0, 90.5, 3, 3.0, 1.0, 0.5, 1.3),
        source(120.7, 20.2, 2, 2.0, 1.0, 0.7, 0.0),
    ],
    holes=[dict(x=60.0, y=80.0, r=6.0)],
)
image, mask = draw(case)
border = np.ones(image.shape, bool)
border[5:-5, 5:-5] = False
data = image - np.median(image[border & ~mask])
rms = np.full(image.shape, case["sigma"])
kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], dtype=np.float32)
found, segments = sep.extract(
    data, 2.0, err=rms, mask=mask, minarea=5, filter_kernel=kernel, filter_type="conv",
    deblend_nthresh=32, deblend_cont=0.005, clean=True, clean_param=1.0, segmentation_map=True,
)
kron, _ = sep.kron_radius(
    data, found["x"], found["y"], found["a"], found["b"], found["theta"], 6.0, mask=mask)
flux, _, _ = sep.sum_ellipse(
    data, found["x"], found["y"], found["a"], found["b"], found["theta"], 2.5 * kron,
    subpix=5, mask=mask, err=rms)
radius, _ = sep.flux_radius(
    data, found["x"], found["y"], 6 * found["a"], 0.5, normflux=flux, subpix=5, mask=mask)
order = np.argsort(-flux)
case["sep_version"] = sep.__version__
case["found"] = [
    dict(
        x=float(found["x"][i]), y=float(found["y"][i]), flux=float(flux[i]), circle=float(radius[i]),
        a=float(found["a"][i]), b=float(found["b"][i]), theta=float(found["theta"][i]),
        pixels=int((segments == i + 1).sum()),
    )
    for i in order
]
case["tolerance"] = "1e-5: SEP keeps shapes and fluxes in single precision; the noise is the same to the bit"
json.dump(case, sys.stdout, indent=1)
print()
