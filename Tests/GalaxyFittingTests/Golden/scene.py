# SPDX-License-Identifier: MIT
#
# Draws the analytic scenes of the golden scripts by the formula of TestScene.swift, with noise from splitmix64.

import math

import numpy as np

MASK64 = (1 << 64) - 1


def splitmix64(counter):
    """Return the counter-th output of splitmix64 started at zero."""
    z = (counter * 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def unit_noise(seed, i):
    """Return the sum of twelve uniforms less six: mean 0, variance 1."""
    return sum((splitmix64((seed << 40) + 12 * i + k + 1) >> 11) * 2.0**-53 for k in range(12)) - 6.0


def draw(case):
    """Return the image and the mask of a case."""
    h, w = case["height"], case["width"]
    y, x = np.mgrid[0:h, 0:w].astype(float)
    image = np.full((h, w), case["sky"])
    for s in case["sources"]:
        dx, dy = x - s["x"], y - s["y"]
        # theta from +y, counter-clockwise: the major axis is along (-sin, cos).
        u = -math.sin(s["theta"]) * dx + math.cos(s["theta"]) * dy
        v = (math.cos(s["theta"]) * dx + math.sin(s["theta"]) * dy) / s["q"]
        r = np.sqrt(u * u + v * v + 0.25) / s["re"]
        b = 2 * s["n"] - 1 / 3
        image += s["peak"] * np.exp(-b * (r ** (1 / s["n"])))
    noise = np.array([unit_noise(case["seed"], i) for i in range(w * h)]).reshape(h, w)
    image += case["sigma"] * noise
    mask = np.zeros((h, w), bool)
    for m in case["holes"]:
        mask |= (x - m["x"]) ** 2 + (y - m["y"]) ** 2 <= m["r"] ** 2
    return image, mask
