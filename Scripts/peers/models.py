# SPDX-License-Identifier: MIT
#
# The models of Sources/Benchmarks/Cases/PeerModels.swift in NumPyro: the same data, priors and order of sites.

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist


def table(rows, columns):
    """Returns sin(1.3 i + 2.1 j + 0.37 i j) for each row i and column j."""
    i, j = np.meshgrid(np.arange(float(rows)), np.arange(float(columns)), indexing="ij")
    return np.sin(1.3 * i + 2.1 * j + 0.37 * i * j)


def noise(count):
    """Returns sin(7.77 i²)."""
    i = np.arange(float(count))
    return np.sin(7.77 * i * i)


def eight_schools():
    """Eight schools, non-centred."""
    y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    sigma = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])

    def model():
        mu = numpyro.sample("mu", dist.Normal(0, 5))
        tau = numpyro.sample("tau", dist.HalfCauchy(5))
        with numpyro.plate("schools", 8):
            z = numpyro.sample("z", dist.Normal(0, 1))
            numpyro.sample("y", dist.Normal(mu + tau * z, sigma), obs=y)

    return model, ["mu", "tau", "z"]


def linear_regression():
    """A linear regression: 200 data, four slopes."""
    x = table(200, 4)
    y = 1 + x @ np.array([0.5, -1, 1.5, -2]) + 0.7 * noise(200)

    def model():
        height = numpyro.sample("height", dist.Normal(0, 10))
        with numpyro.plate("columns", 4):
            slopes = numpyro.sample("slopes", dist.Normal(0, 2))
        sigma = numpyro.sample("sigma", dist.HalfCauchy(2))
        numpyro.sample("y", dist.Normal(height + jnp.asarray(x) @ slopes, sigma), obs=y)

    return model, ["height", "slopes", "sigma"]


def logistic_regression():
    """A logistic regression: 500 data, ten slopes."""
    x = table(500, 10)
    y = (x @ np.sin(np.arange(10.0)) + 2 * noise(500) > 0).astype(float)

    def model():
        height = numpyro.sample("height", dist.Normal(0, 5))
        with numpyro.plate("columns", 10):
            slopes = numpyro.sample("slopes", dist.Normal(0, 2))
        numpyro.sample("y", dist.Bernoulli(logits=height + jnp.asarray(x) @ slopes), obs=y)

    return model, ["height", "slopes"]


def counties():
    """A hierarchical regression: 919 houses in 85 counties, non-centred."""
    i = np.arange(919)
    county = (37 * i + i // 7) % 85
    floor = (i % 3 == 0).astype(float)
    y = 1.3 + 0.3 * np.sin(county.astype(float)) - 0.7 * floor + 0.7 * noise(919)

    def model():
        mu = numpyro.sample("mu", dist.Normal(0, 5))
        tau = numpyro.sample("tau", dist.HalfNormal(1))
        slope = numpyro.sample("slope", dist.Normal(0, 2))
        sigma = numpyro.sample("sigma", dist.HalfNormal(2))
        with numpyro.plate("counties", 85):
            z = numpyro.sample("z", dist.Normal(0, 1))
        height = (mu + tau * z)[county]
        numpyro.sample("y", dist.Normal(height + slope * floor, sigma), obs=y)

    return model, ["mu", "tau", "slope", "sigma", "z"]


MODELS = {
    "eight schools": eight_schools,
    "linear regression": linear_regression,
    "logistic regression": logistic_regression,
    "counties": counties,
}
