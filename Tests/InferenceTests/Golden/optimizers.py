# SPDX-License-Identifier: MIT
#
# Writes optimizers.json: the positions of optimisers on a fixed sequence of gradients, by optax (and formulas by hand).
# Run by hand in this folder: python3 optimizers.py

import datetime
import json

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import numpy as np
import optax

START = jnp.array([1.0, -2.0, 0.3])
STEPS = 12


def gradient(t, x):
    """A gradient that depends on the position and on the step, with one large element to clip."""
    return jnp.array([x[0] + 0.5 * np.cos(t), 3 * x[1] - 1, 40 * np.sin(3 * t) * x[2]])


def run(transformation):
    x, state = START, transformation.init(START)
    rows = []
    for t in range(STEPS):
        updates, state = transformation.update(gradient(t, x), state, x)
        x = optax.apply_updates(x, updates)
        rows.append([float(v) for v in x])
    return rows


def by_hand(rule):
    x, memory = np.array(START), np.zeros(3)
    rows = []
    for t in range(STEPS):
        x, memory = rule(x, np.array(gradient(t, x)), memory)
        rows.append([float(v) for v in x])
    return rows


def adagrad(x, g, s):
    s = s + g * g
    return x - 0.1 * g / (np.sqrt(s) + 1e-10), s


def rmsprop(x, g, s):
    s = 0.99 * s + 0.01 * g * g
    return x - 0.01 * g / (np.sqrt(s) + 1e-8), s


def exponential(t):
    """optax.exponential_decay(0.1, 4, 0.5), which computes in single precision."""
    return 0.1 * jnp.power(0.5, jnp.asarray(t, dtype=jnp.float64) / 4)


def cosine(t):
    """optax.cosine_decay_schedule(0.2, 8, alpha=0.25), which computes in single precision."""
    return 0.2 * (0.75 * 0.5 * (1 + np.cos(np.pi * min(t, 8) / 8)) + 0.25)


for t in range(STEPS):
    assert abs(exponential(t) - optax.exponential_decay(0.1, 4, 0.5)(t)) < 1e-7
    assert abs(cosine(t) - optax.cosine_decay_schedule(0.2, 8, alpha=0.25)(t)) < 1e-7

functions = {
    "sgd": run(optax.sgd(0.05)),
    "momentum": run(optax.sgd(0.05, momentum=0.8)),
    "nesterov": run(optax.sgd(0.05, momentum=0.8, nesterov=True)),
    "adam": run(optax.adam(0.1, b1=0.9, b2=0.999)),
    "adamExponential": run(optax.adam(exponential)),
    "clippedAdam": run(optax.chain(optax.clip(2.0), optax.adam(0.1))),
    "adagrad": by_hand(adagrad),
    "rmsProp": by_hand(rmsprop),
}
functions["exponentialSchedule"] = [[float(exponential(t)) for t in range(STEPS)]]
functions["cosineSchedule"] = [[float(cosine(t)) for t in range(STEPS)]]

with open("optimizers.json", "w") as file:
    json.dump(
        {
            "generator": f"optimizers.py, optax {optax.__version__}",
            "command": "python3 optimizers.py",
            "date": datetime.date.today().isoformat(),
            "tolerance": "1e-12: the same operations in double precision, in another order",
            "functions": functions,
        },
        file,
        indent=0,
    )
