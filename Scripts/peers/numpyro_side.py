# SPDX-License-Identifier: MIT
#
# NumPyro's side of the comparison: times of gradients and of NUTS for one model, in float64, as JSON on standard output.
# Started by bench_peers.py, in a process of its own for each model and round, so that each first call compiles.

import json
import sys
import time

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax.scipy.special import ndtri  # noqa: E402
from numpyro.infer import MCMC, NUTS  # noqa: E402
from numpyro.infer.util import initialize_model  # noqa: E402

from models import MODELS  # noqa: E402

KEYS = [0, 1, 2, 3]
STEPS = 20_000


def bulk_ess(x):
    """Returns the bulk effective sample size of one chain: split, rank-normalised (Vehtari et al. 2021), as ours."""
    half = len(x) // 2
    chains = np.stack([x[:half], x[len(x) - half :]])
    order = chains.ravel().argsort(kind="stable").argsort(kind="stable") + 1.0
    z = np.asarray(ndtri((order - 0.375) / (order.size + 0.25))).reshape(chains.shape)
    m, n = z.shape
    centered = z - z.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centered, 2 * n, axis=1)) ** 2
    covariance = np.fft.irfft(spectrum, axis=1)[:, :n] / n
    within = covariance[:, 0].mean() * n / (n - 1)
    between = n * z.mean(axis=1).var(ddof=1)
    variance = within * (n - 1) / n + between / n
    rho = 1 - (within - covariance.mean(axis=0) * n / (n - 1)) / variance
    rho[0] = 1
    # Geyer's initial monotone sequence of sums of pairs.
    pairs = []
    for t in range(0, n - 1, 2):
        pair = rho[t] + rho[t + 1]
        if pair < 0:
            break
        pairs.append(min(pair, pairs[-1]) if pairs else pair)
    tau = max(-1 + 2 * sum(pairs), 1 / np.log10(m * n))
    return m * n / tau


def flatten(values, sites):
    """Returns the values of sites as one vector."""
    return jnp.concatenate([jnp.ravel(values[site]) for site in sites])


def main(name):
    """Measures one model."""
    model, sites = MODELS[name]()
    result = {}
    potential = initialize_model(jax.random.PRNGKey(0), model).potential_fn
    shapes = {
        site: np.shape(value)
        for site, value in initialize_model(jax.random.PRNGKey(0), model).param_info.z.items()
    }

    def split(q):
        """Returns the sites of a vector."""
        values, start = {}, 0
        for site in sites:
            count = int(np.prod(shapes[site]))
            values[site] = q[start : start + count].reshape(shapes[site])
            start += count
        return values

    dimension = sum(int(np.prod(shapes[site])) for site in sites)
    probe = jnp.asarray(0.3 * np.sin(1 + np.arange(float(dimension))))
    both = jax.value_and_grad(lambda q: -potential(split(q)))

    # The first call compiles; the second is what a caller in Python pays for each gradient.
    begin = time.perf_counter()
    call = jax.jit(both)
    value, _ = jax.block_until_ready(call(probe))
    result["gradient_first_ns"] = 1e9 * (time.perf_counter() - begin)
    result["log_density"] = float(value)
    times = []
    for _ in range(200):
        begin = time.perf_counter()
        jax.block_until_ready(call(probe))
        times.append(1e9 * (time.perf_counter() - begin))
    result["gradient_call_ns"] = float(np.median(times))

    # Gradients in a compiled loop, each at a point that depends on the one before.
    @jax.jit
    def loop(q):
        return jax.lax.fori_loop(0, STEPS, lambda _, q: q + 1e-9 * both(q)[1], q)

    jax.block_until_ready(loop(probe))
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        jax.block_until_ready(loop(probe))
        times.append(1e9 * (time.perf_counter() - begin) / STEPS)
    result["gradient_loop_ns"] = float(np.median(times))

    # As users run it: the first call compiles, and so does, in part, each later one.
    sampler = MCMC(
        NUTS(model), num_warmup=1000, num_samples=1000, num_chains=1, progress_bar=False)
    for name, key in [("first_run_ns", 0), ("second_run_ns", 1)]:
        begin = time.perf_counter()
        sampler.run(jax.random.PRNGKey(key))
        jax.block_until_ready(sampler.get_samples())
        result[name] = 1e9 * (time.perf_counter() - begin)

    # The same kernel, its adaptation included, in one loop that is compiled once: what is left without any compilation.
    kernel = NUTS(model)

    @jax.jit
    def sample(state):
        def step(state, _):
            state = kernel.sample(state, (), {})
            return state, (flatten(state.z, sites), state.num_steps)

        return jax.lax.scan(step, state, None, length=2000)[1]

    states = [kernel.init(jax.random.PRNGKey(key), 1000, None, (), {}) for key in KEYS]
    jax.block_until_ready(sample(states[0]))
    seconds, leapfrogs, effective = 0.0, 0, 0.0
    for state in states:
        begin = time.perf_counter()
        draws, steps = jax.block_until_ready(sample(state))
        seconds += time.perf_counter() - begin
        leapfrogs += int(np.sum(steps))
        # Ranks do not change under the transforms of positive sites.
        effective += min(bulk_ess(column) for column in np.asarray(draws)[1000:].T)
    result["leapfrog_ns"] = 1e9 * seconds / leapfrogs
    result["leapfrogs"] = leapfrogs
    result["effective_draw_ns"] = 1e9 * seconds / effective
    result["effective_draws"] = effective
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])
