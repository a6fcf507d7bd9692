# SPDX-License-Identifier: MIT
#
# Stan's effective draws per leapfrog step on a standard normal of 100 dimensions, at its defaults. Run by hand:
# python stan_normal.py
#
# Needs pystan 3.10 and arviz 0.23 (pip install pystan "arviz<1"). Writes stan_normal.json beside itself.

import datetime
import importlib.metadata
import json
import pathlib
import statistics

import arviz
import numpy
import stan

PROGRAM = """
parameters { vector[100] x; }
model { x ~ std_normal(); }
"""
SEEDS = range(1, 21)


def measure(seed):
    """Returns effective draws per leapfrog step, of the coordinates and of their squares, and what explains them."""
    model = stan.build(PROGRAM, random_seed=seed)
    fit = model.sample(num_chains=4, num_warmup=1000, num_samples=1000)
    # Draws vary fastest over chains: [coordinate, draw, chain].
    x = fit["x"].reshape(100, 1000, 4).transpose(2, 1, 0)
    steps = fit["n_leapfrog__"].sum()
    bulk = arviz.ess(arviz.convert_to_dataset({"x": x}), method="bulk")["x"].values
    squares = arviz.ess(arviz.convert_to_dataset({"x": x**2}), method="mean")["x"].values
    return {
        "bulk_per_leapfrog": float(bulk.mean() / steps),
        "squares_per_leapfrog": float(squares.mean() / steps),
        "leapfrogs_per_draw": float(steps / 4000),
        "step_size": float(fit["stepsize__"].mean()),
        "acceptance": float(fit["accept_stat__"].mean()),
    }


runs = [measure(seed) for seed in SEEDS]
names = runs[0].keys()
pathlib.Path(__file__).with_suffix(".json").write_text(
    json.dumps(
        {
            "generator": "stan_normal.py",
            "versions": {
                name: importlib.metadata.version(name) for name in ["pystan", "httpstan", "arviz"]
            },
            "command": "python stan_normal.py",
            "date": datetime.date.today().isoformat(),
            "tolerance": 0.1,
            "tolerance_reason": "runs with other seeds differ by the standard deviations given; the figure asked for is 10 %",
            "runs": len(runs),
            "mean": {name: statistics.mean(run[name] for run in runs) for name in names},
            "sd": {name: statistics.stdev(run[name] for run in runs) for name in names},
        },
        indent=2,
    )
    + "\n"
)
