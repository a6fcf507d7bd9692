# SPDX-License-Identifier: MIT
#
# Convergence diagnostics and Monte Carlo errors of stored draws, by ArviZ. Run by hand: python diagnostics.py
#
# Needs arviz 0.23 (pip install "arviz<1"). Writes diagnostics.json beside itself. The draws are rounded to a few digits, so
# that the file stays small; what is stored is what ArviZ was given.

import json
import pathlib
import warnings

import arviz
import numpy as np
from arviz.stats.diagnostics import _rhat, _split_chains, _z_fold, _z_scale

warnings.simplefilter("ignore")
generator = np.random.default_rng(20240611)


def autoregressive(chains, draws, coefficient, spread=1.0):
    x = np.empty((chains, draws))
    x[:, 0] = generator.normal(size=chains)
    noise = np.sqrt(1 - coefficient**2)
    for t in range(1, draws):
        x[:, t] = coefficient * x[:, t - 1] + noise * generator.normal(size=chains)
    return spread * x


stuck = autoregressive(4, 150, 0.3)
stuck[2] = 5 + 1e-3 * generator.normal(size=150)
frozen = np.repeat(np.array([[1.0], [2.0], [3.0], [4.0]]), 40, axis=1)
wider = autoregressive(4, 120, 0.2)
wider[3] *= 4
trend = autoregressive(4, 120, 0.2) + np.linspace(-2, 2, 120)
cases = {
    "independent": generator.normal(size=(4, 200)),
    "autocorrelated": 3 + autoregressive(4, 250, 0.9, 0.2),
    "slow": autoregressive(4, 250, 0.995),
    "antithetic": autoregressive(4, 200, -0.7),
    "very antithetic": autoregressive(2, 100, -0.98),
    "heavy tails": generator.standard_cauchy(size=(4, 200)),
    "skewed": np.exp(2 * autoregressive(4, 200, 0.5)),
    "one stuck chain": stuck,
    "one wide chain": wider,
    "trend": trend,
    "ties": generator.poisson(1.5, size=(4, 150)).astype(float),
    "two values": (generator.uniform(size=(4, 100)) < 0.03).astype(float),
    "constant": np.full((4, 50), 0.75),
    "constant chains that differ": frozen,
    "few draws": generator.normal(size=(4, 4)),
    "five draws": generator.normal(size=(2, 5)),
    "odd number": autoregressive(3, 101, 0.4),
    "too few draws": generator.normal(size=(4, 3)),
    "one chain": autoregressive(1, 300, 0.6),
    "eight short chains": autoregressive(8, 30, 0.5),
    "far from zero": 1e6 + autoregressive(4, 100, 0.5),
}


def number(x):
    x = float(x)
    if np.isnan(x):
        return None
    return x if np.isfinite(x) else "inf"


rows = []
for name, x in cases.items():
    # Six decimals for numbers of order one, and in proportion for others.
    x = np.round(x, 6) if np.max(np.abs(x)) < 100 else np.array([[float(f"{v:.9g}") for v in c] for c in x])
    expected = {"r_hat": arviz.rhat(x)}
    if x.shape[0] == 1:
        # ArviZ gives none; the same formula compares the chain's halves.
        halves = _split_chains(x)
        expected["r_hat"] = max(_rhat(_z_scale(halves)), _rhat(_z_fold(halves)))
    for method in ["bulk", "tail", "mean", "sd", "median"]:
        expected["ess_" + method] = arviz.ess(x, method=method)
    expected["ess_quantile_0.2"] = arviz.ess(x, method="quantile", prob=0.2)
    expected["ess_local_0.3_0.6"] = arviz.ess(x, method="local", prob=(0.3, 0.6))
    for method in ["mean", "sd", "median"]:
        expected["mcse_" + method] = arviz.mcse(x, method=method)
    for p in [0.05, 0.95]:
        expected[f"mcse_q{p}"] = arviz.mcse(x, method="quantile", prob=p)
    if x.shape[1] > 3:
        low, high = arviz.hdi(x.ravel(), hdi_prob=0.94)
        expected["hdi_low"], expected["hdi_high"] = low, high
        expected["bfmi_first"] = arviz.bfmi(x)[0]
        expected["bfmi_last"] = arviz.bfmi(x)[-1]
        expected["autocorrelation_3"] = arviz.autocorr(x[0])[3]
    rows.append(
        {
            "name": name,
            "chains": x.shape[0],
            "values": x.ravel().tolist(),
            "expected": {key: number(value) for key, value in expected.items()},
        }
    )

pathlib.Path(__file__).with_suffix(".json").write_text(
    json.dumps({"generator": f"diagnostics.py, arviz {arviz.__version__}", "cases": rows}, separators=(",", ":"))
    + "\n"
)
