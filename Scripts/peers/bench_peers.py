# SPDX-License-Identifier: MIT
#
# Runs the same work in this package and in the systems its users come from, side by side on one thread, and prints ratios.
#
# Usage: make bench-peers, which builds the benchmarks and calls this with the python3 that finds NumPyro and pysersic.
# What is not installed is named and left out; the exit status is 0 unless something that is installed fails.

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent.parent / ".build" / "release"

# One thread for everybody: chains are the parallel axis, and ratios mean the same on any machine.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}

MODELS = ["eight schools", "linear regression", "logistic regression", "counties"]

# What is compared: title, our benchmark, the key of the peer's number.
QUANTITIES = [
    ("gradient, in a compiled loop", "value and gradient", "gradient_loop_ns"),
    ("gradient, one call", "value and gradient", "gradient_call_ns"),
    ("NUTS, one leapfrog", "nuts, leapfrog", "leapfrog_ns"),
    ("NUTS, one effective draw", "nuts, effective draw", "effective_draw_ns"),
    ("NUTS 1000 + 1000, first run", "nuts, first run", "first_run_ns"),
    ("NUTS 1000 + 1000, second run", "nuts, first run", "second_run_ns"),
]


def installed(package):
    """Returns the version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def run(command, **options):
    """Runs a program on one thread and one processor and returns what it prints; its errors stop the comparison."""
    done = subprocess.run(
        command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: failed\n{done.stderr}")
    return done.stdout


def ours(name):
    """Returns our times in nanoseconds, by benchmark."""
    measured = json.loads(run([BUILT / "Benchmarks", "--json", name]))
    return {entry["name"]: entry["median_ns"] for entry in measured}


def time_text(nanoseconds):
    """Returns a time with its unit."""
    for limit, unit in [(1e3, "ns"), (1e6, "µs"), (1e9, "ms")]:
        if nanoseconds < limit:
            return f"{nanoseconds / (limit / 1e3):.4g} {unit}"
    return f"{nanoseconds / 1e9:.4g} s"


def print_row(title, us, them):
    """Prints the medians of both, their ratio, and the range of the ratios round by round."""
    ratios = sorted(b / a for a, b in zip(us, them))
    print(
        f"  {title:32} {time_text(median(us)):>10} {time_text(median(them)):>10}"
        f" {median(them) / median(us):9.3g} times  ({ratios[0]:.3g} to {ratios[-1]:.3g})",
        flush=True)


def compare_numpyro(rounds, chosen):
    """Compares gradients and NUTS on the models that both have."""
    print(f"\nNumPyro {installed('numpyro')} (JAX {installed('jax')}, float64); {rounds} rounds")
    print(f"  {'':32} {'ours':>10} {'NumPyro':>10}     ratio        range over rounds")
    for model in [name for name in MODELS if chosen in name]:
        print(f"{model}")
        us, them = [], []
        for _ in range(rounds):
            us.append(ours(f"peers, {model}"))
            them.append(json.loads(run([sys.executable, HERE / "numpyro_side.py", model])))
        for title, case, key in QUANTITIES:
            print_row(
                title, [u[f"peers, {model}: {case}"] for u in us], [t[key] for t in them])
        counts = them[-1]
        print(f"  (theirs: {counts['leapfrogs']} leapfrogs, "
              f"{counts['effective_draws']:.0f} effective draws in 4 runs)")


def compare_pysersic(rounds):
    """Compares value and gradient of the log posterior of one simulated galaxy."""
    print(f"\npysersic {installed('pysersic')} (JAX {installed('jax')}, float32, its default); {rounds} rounds")
    print(f"  {'':32} {'ours':>10} {'pysersic':>10}     ratio        range over rounds")
    with tempfile.TemporaryDirectory() as folder:
        # The galaxy of our benchmark: Sources/Benchmarks/Simulation.swift.
        parameters = {"xc": 60.05, "yc": 60.05, "flux": 1700, "r_eff": 3.25, "n": 1.9,
                      "ellip": 0.26, "theta": 0.48}
        command = [BUILT / "sersic", "simulate", "--profile", "sersic", "--size", "121x121",
                   "--psf", "moffat:fwhm=3.5,beta=3", "--noise", "gaussian:0.13",
                   "--output", folder]
        for name, value in parameters.items():
            command += ["--param", f"{name}={value}"]
        run(command)
        us, them = [], []
        for _ in range(rounds):
            us.append(ours("sersic 121 x 121, gaussian: value and gradient"))
            them.append(json.loads(run([sys.executable, HERE / "pysersic_side.py", folder])))
    mine = [next(iter(u.values())) for u in us]
    for title, key in [("value and gradient, Fourier", "fourier_ns"),
                       ("value and gradient, default", "hybrid_ns"),
                       ("first call", "first_ns")]:
        print_row(title, mine, [t[key] for t in them])


def main():
    """Compares with all peers that are installed."""
    parser = argparse.ArgumentParser(description="Compares this package with its peers.")
    parser.add_argument("--rounds", type=int, default=3, help="repeats, alternating (3)")
    parser.add_argument("--only", default="", help="a part of the name of a model, or pysersic")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        # All processes started from here inherit it.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if not (BUILT / "Benchmarks").exists():
        sys.exit(f"expected the benchmarks in {BUILT}, found none; use make bench-peers")
    missing = [name for name in ("numpyro", "pysersic") if not installed(name)]
    for name in missing:
        print(f"{name}: not installed for {sys.executable}; left out. To compare with it: "
              f"{sys.executable} -m pip install {name}")
    if "numpyro" not in missing and options.only != "pysersic":
        compare_numpyro(options.rounds, options.only)
    if "pysersic" not in missing and options.only in ("", "pysersic"):
        compare_pysersic(options.rounds)


if __name__ == "__main__":
    main()
