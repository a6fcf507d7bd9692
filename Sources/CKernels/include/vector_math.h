// SPDX-License-Identifier: MIT
//
// Elementary and special functions over arrays of n doubles; out may be the same array as an argument.
//
// Arguments at the edges (infinities, NaN, zeros, poles) give what the C library's functions give. The errors named
// here are the largest seen against correctly rounded values (Tests/NumericsTests/VectorMathTests.swift).

#ifndef SS_VECTOR_MATH_H
#define SS_VECTOR_MATH_H

/// e^x, 1 ulp.
void ss_exp(const double *x, double *out, long n);

/// e^x - 1, 1.5 ulp.
void ss_expm1(const double *x, double *out, long n);

/// The natural logarithm, 1 ulp.
void ss_log(const double *x, double *out, long n);

/// log(1 + x), 1 ulp.
void ss_log1p(const double *x, double *out, long n);

/// The square root, correctly rounded.
void ss_sqrt(const double *x, double *out, long n);

/// The hyperbolic tangent, 2 ulp.
void ss_tanh(const double *x, double *out, long n);

/// 1 / (1 + e^-x), 2 ulp.
void ss_sigmoid(const double *x, double *out, long n);

/// log(1 + e^x), 2 ulp.
void ss_softplus(const double *x, double *out, long n);

/// The sine of an angle in radians, 1 ulp.
void ss_sin(const double *x, double *out, long n);

/// The cosine of an angle in radians, 1 ulp.
void ss_cos(const double *x, double *out, long n);

/// x^y element by element, 1 ulp.
void ss_pow(const double *x, const double *y, double *out, long n);

/// x^y with one exponent, 1 ulp.
void ss_pow_scalar(const double *x, double y, double *out, long n);

/// The error function, 1.5 ulp.
void ss_erf(const double *x, double *out, long n);

/// 1 - erf(x), 4 ulp.
void ss_erfc(const double *x, double *out, long n);

/// e^(x²) erfc(x), 4 ulp.
void ss_erfcx(const double *x, double *out, long n);

/// The standard normal distribution function, 4 ulp.
void ss_normal_cdf(const double *x, double *out, long n);

/// The logarithm of the standard normal distribution function, 4 ulp, also far in the lower tail.
void ss_normal_log_cdf(const double *x, double *out, long n);

/// The derivative of the former, φ(x) / Φ(x).
void ss_normal_log_cdf_derivative(const double *x, double *out, long n);

/// The standard normal quantile, the inverse of ss_normal_cdf: 4 ulp, -∞ at 0, ∞ at 1, NaN outside.
void ss_normal_quantile(const double *x, double *out, long n);

/// log |Γ(x)|, by the system's lgamma_r.
void ss_lgamma(const double *x, double *out, long n);

/// ψ(x), the derivative of log Γ.
void ss_digamma(const double *x, double *out, long n);

/// ψ'(x).
void ss_trigamma(const double *x, double *out, long n);

/// ψ''(x).
void ss_tetragamma(const double *x, double *out, long n);

/// erf of one number.
double ss_erf_value(double x);

/// erfc of one number.
double ss_erfc_value(double x);

/// e^(x²) erfc(x) of one number.
double ss_erfcx_value(double x);

/// The standard normal distribution function of one number.
double ss_normal_cdf_value(double x);

/// The logarithm of the standard normal distribution function of one number.
double ss_normal_log_cdf_value(double x);

/// φ(x) / Φ(x) of one number.
double ss_normal_log_cdf_derivative_value(double x);

/// The standard normal quantile of one probability.
double ss_normal_quantile_value(double x);

/// log |Γ(x)| of one number.
double ss_lgamma_value(double x);

/// ψ(x) of one number.
double ss_digamma_value(double x);

/// ψ'(x) of one number.
double ss_trigamma_value(double x);

/// ψ''(x) of one number.
double ss_tetragamma_value(double x);

#endif
