# SPDX-License-Identifier: MIT
#
# Writes multivariate.json: rows of (value…, parameters…, log probability) of vectors, matrices and mixtures, by SciPy and NumPyro.
# Run by hand in this folder: JAX_ENABLE_X64=1 python3 multivariate.py

import datetime
import json

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
import scipy
from scipy import stats

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(8)


def row(value, parameters, result):
    flat = [np.asarray(x, float).ravel() for x in [value, *parameters]]
    return [*np.concatenate(flat).tolist(), float(result)]


def covariance(n):
    a = rng.normal(size=(n, n))
    return a @ a.T + 0.3 * np.eye(n)


n = 3
functions = {name: [] for name in (
    "MultivariateNormal", "LowRankMultivariateNormal", "MultivariateStudentT", "Dirichlet", "LKJCholesky", "GaussianRandomWalk",
    "Multinomial", "DirichletMultinomial", "Categorical", "OrderedLogistic", "ZeroInflatedPoisson", "MixtureOfNormals",
    "TruncatedCauchy", "TruncatedStudentT")}
for _ in range(4):
    mu, s, x = rng.normal(size=n), covariance(n), 2 * rng.normal(size=n)
    functions["MultivariateNormal"].append(row(x, [mu, s], stats.multivariate_normal.logpdf(x, mu, s)))
    w, d = rng.normal(size=(n, 2)), rng.uniform(0.2, 2, n)
    functions["LowRankMultivariateNormal"].append(
        row(x, [mu, w, d], stats.multivariate_normal.logpdf(x, mu, w @ w.T + np.diag(d))))
    nu = rng.uniform(0.5, 9)
    functions["MultivariateStudentT"].append(
        row(x, [nu, mu, np.linalg.cholesky(s)], stats.multivariate_t.logpdf(x, mu, s, nu)))
    a, p = rng.uniform(0.3, 4, n), rng.dirichlet(np.ones(n))
    functions["Dirichlet"].append(row(p, [a], dist.Dirichlet(a).log_prob(p)))
    eta = rng.uniform(0.5, 4)
    r = dist.LKJCholesky(4, 1.5).sample(jax.random.PRNGKey(int(10 * eta)))
    functions["LKJCholesky"].append(row(r, [eta], dist.LKJCholesky(4, eta).log_prob(r)))
    scale = rng.uniform(0.2, 3)
    functions["GaussianRandomWalk"].append(row(x, [scale], dist.GaussianRandomWalk(scale, n).log_prob(x)))
    k = rng.multinomial(12, p)
    functions["Multinomial"].append(row(k, [p], stats.multinomial.logpmf(k, 12, p)))
    functions["DirichletMultinomial"].append(row(k, [a], stats.dirichlet_multinomial.logpmf(k, a, 12)))
    logits, c = rng.normal(size=n), int(rng.integers(n))
    functions["Categorical"].append(row(c, [logits], dist.Categorical(logits=logits).log_prob(c)))
    cuts = np.sort(3 * rng.normal(size=n))
    c = int(rng.integers(n + 1))
    functions["OrderedLogistic"].append(row(c, [mu[0], cuts], dist.OrderedLogistic(mu[0], cuts).log_prob(c)))
    gate, c = rng.uniform(), int(rng.integers(3))
    functions["ZeroInflatedPoisson"].append(
        row(c, [gate, scale], dist.ZeroInflatedPoisson(gate, scale).log_prob(c)))
    functions["MixtureOfNormals"].append(
        row(x[0], [p, mu, d], np.log(np.sum(p * stats.norm.pdf(x[0], mu, d)))))
    low, high = sorted(rng.normal(size=2))
    inside = low + rng.uniform() * (high - low)
    mass = stats.cauchy.cdf(high, mu[0], scale) - stats.cauchy.cdf(low, mu[0], scale)
    functions["TruncatedCauchy"].append(
        row(inside, [mu[0], scale, low, high], stats.cauchy.logpdf(inside, mu[0], scale) - np.log(mass)))
    above = low + rng.exponential()
    functions["TruncatedStudentT"].append(
        row(above, [nu, mu[0], scale, low],
            stats.t.logpdf(above, nu, mu[0], scale) - stats.t.logsf(low, nu, mu[0], scale)))
json.dump({
    "generator": f"multivariate.py, SciPy {scipy.__version__}, NumPyro {numpyro.__version__}, JAX {jax.__version__} in float64",
    "command": "JAX_ENABLE_X64=1 python3 multivariate.py",
    "date": datetime.date.today().isoformat(),
    "tolerance": "1e-11 of the larger of 1 and the value: some dozen roundings, of matrices with condition numbers up to some 100",
    "functions": functions,
}, open("multivariate.json", "w"), indent=0)
