# SPDX-License-Identifier: MIT
#
# Pareto-smoothed weights, leave-one-out cross-validation, WAIC and comparison by ArviZ. Run by hand: python leave_one_out.py
#
# Needs arviz 0.23 (pip install "arviz<1"). Writes leave_one_out.json beside itself. Numbers are rounded before ArviZ sees them, so
# that the file stays small.

import json
import pathlib
import warnings

import arviz
import numpy as np

warnings.simplefilter("ignore")
generator = np.random.default_rng(7)


def number(x):
    x = float(x)
    return x if np.isfinite(x) else "inf" if x > 0 else None


# Raw log weights: one row to a case.
weights = {
    "light tail": 0.5 * generator.normal(size=400),
    "heavy tail": generator.exponential(size=400) * 0.9,
    "very heavy tail": generator.exponential(size=400) * 1.6,
    "huge": 1000 + 300 * generator.normal(size=200),
    "equal": np.zeros(100),
    "few": generator.normal(size=12),
    "ties": np.round(generator.normal(size=300), 1),
    "bounded": np.log(generator.uniform(size=500) + 0.5),
}
smoothing = []
for name, w in weights.items():
    w = np.round(w, 6)
    for efficiency in [1.0, 0.3]:
        smooth, k = arviz.psislw(w.copy(), reff=efficiency)
        smoothing.append(
            {
                "name": f"{name}, {efficiency}",
                "log_weights": w.tolist(),
                "efficiency": efficiency,
                "k": number(k),
                "largest": number(np.max(smooth)),
                "sum_of_squares": number(np.sum(np.exp(2 * smooth))),
                "mean": number(np.sum(np.exp(smooth) * np.arange(len(w)))) if name != "ties" else None,
            }
        )

# Two models of twelve observations, the last of which is an outlier; chains are autocorrelated.
chains, draws, count = 4, 150, 12
noise = generator.normal(size=(chains, draws))
mu = np.empty((chains, draws))
mu[:, 0] = noise[:, 0]
for t in range(1, draws):
    mu[:, t] = 0.6 * mu[:, t - 1] + 0.8 * noise[:, t]
mu = np.round(0.4 * mu, 6)
y = np.append(generator.normal(size=count - 1), 9.0)
models = {
    "normal": -0.5 * (y - mu[..., None]) ** 2 - 0.5 * np.log(2 * np.pi),
    "cauchy": -np.log(np.pi * (1 + (y - mu[..., None]) ** 2)),
}
result, elpds = {}, {}
for name, likelihood in models.items():
    likelihood = np.round(likelihood, 6)
    data = arviz.from_dict(posterior={"mu": mu}, log_likelihood={"y": likelihood})
    loo = arviz.loo(data, pointwise=True)
    waic = arviz.waic(data, pointwise=True)
    elpds[name] = loo
    result[name] = {
        "log_likelihood": likelihood.ravel().tolist(),
        "efficiency": float(arviz.ess(mu, method="mean") / mu.size),
        "elpd": loo.elpd_loo,
        "se": loo.se,
        "p": loo.p_loo,
        "pointwise": loo.loo_i.values.tolist(),
        "k": loo.pareto_k.values.tolist(),
        "good_k": loo.good_k,
        "waic": waic.elpd_waic,
        "waic_se": waic.se,
        "p_waic": waic.p_waic,
    }
table = arviz.compare(elpds)
comparison = [
    {
        "name": name,
        "elpd_diff": row.elpd_diff,
        "dse": row.dse,
        "weight": row.weight,
    }
    for name, row in table.iterrows()
]

pathlib.Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "generator": f"leave_one_out.py, arviz {arviz.__version__}",
            "smoothing": smoothing,
            "chains": chains,
            "draws": draws,
            "mu": mu.ravel().tolist(),
            "models": result,
            "comparison": comparison,
        },
        separators=(",", ":"),
    )
    + "\n"
)
