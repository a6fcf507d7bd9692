# SPDX-License-Identifier: MIT
#
# Prints the polynomial coefficients of Sources/CKernels/elementary.h: near-minimax fits by mpmath's chebyfit.
# Run by hand: python3 vector_math_coefficients.py

from mpmath import (asinh, atanh, chebyfit, cos, erf, erfc, exp, expm1, log, mp, mpf, pi, sin, sqrt)

mp.dps = 60


def show(name, function, interval, count):
    """Prints `count` coefficients, constant term first, and the absolute error of the fit."""
    coefficients, error = chebyfit(function, interval, count, error=True)
    print(f"// {name}: {interval}, error {float(error):.1e}")
    print(", ".join(float(c).hex() for c in reversed(coefficients)))


def split(name, x, bits):
    """Prints x as a head of so many bits and two tails."""
    from mpmath import floor, frexp, ldexp
    _, e = frexp(x)
    head = ldexp(floor(ldexp(x, bits - e)), e - bits)
    rest = x - head
    _, e = frexp(rest)
    middle = ldexp(floor(ldexp(rest, bits - e)), e - bits)
    print(f"// {name} = {float(head).hex()} + {float(middle).hex()} + {float(rest - middle).hex()}")
    print(f"//   two parts: {float(head).hex()} + {float(rest).hex()}")


def taylor_guard(function, limit):
    """Returns the function, with its value at zero taken just beside it."""
    return lambda z: function(z if abs(z) > limit else limit)


h = log(2) / 2 * mpf("1.002")
tiny = mpf(10) ** -25
show("exp: (exp(r) - 1 - r) / r^2", taylor_guard(lambda r: (expm1(r) - r) / r**2, mpf(10)**-18),
     [-h, h], 11)
z = (3 - 2 * sqrt(mpf(2)))**2 * mpf("1.001")
show("log: (2 atanh(s) / s - 2) / s^2 in s^2",
     taylor_guard(lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z, tiny), [0, z], 7)
show("pow: (2 atanh(s) / s - 2 - 2/3 s^2) / s^4 in s^2",
     taylor_guard(lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2 - z * 2 / 3) / z**2, mpf(10)**-18),
     [0, z], 8)
q = (pi / 4)**2 * mpf("1.001")
show("sin: (sin r - r) / r^3 in r^2",
     taylor_guard(lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z, tiny), [0, q], 6)
show("cos: (cos r - 1 + r^2 / 2) / r^4 in r^2",
     taylor_guard(lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, mpf(10)**-18), [0, q], 6)
show("erf: erf(x) / x in x^2", taylor_guard(lambda z: erf(sqrt(z)) / sqrt(z), tiny),
     [0, mpf("0.7225")], 12)


def erfcx_of_t(t):
    """Returns (1 + 2 x) erfcx(x), x = 4 (1 + t) / (1 - t)."""
    if t > mpf(1) - mpf(10)**-12:
        return 2 / sqrt(pi)
    x = 4 * (1 + t) / (1 - t)
    if x > 200:
        series = 1 - 1 / (2 * x**2) + 3 / (4 * x**4) - 15 / (8 * x**6) + 105 / (16 * x**8)
        series += -945 / (32 * x**10) + 10395 / (64 * x**12)
        return (1 + 2 * x) * series / (x * sqrt(pi))
    return (1 + 2 * x) * exp(x * x) * erfc(x)


for count in (20, 22, 24, 26):
    show("erfcx", erfcx_of_t, [-1, 1], count)
split("ln 2", log(2), 38)
split("pi / 2", pi / 2, 33)
print("// 1 / ln 2 =", float(1 / log(2)).hex(), " 2 / pi =", float(2 / pi).hex())
print("// 2 / 3 =", float(mpf(2) / 3).hex(), "+", float(mpf(2) / 3 - mpf(float(mpf(2) / 3))).hex())
print("// ln 2 dd =", float(log(2)).hex(), "+", float(log(2) - mpf(float(log(2)))).hex())
