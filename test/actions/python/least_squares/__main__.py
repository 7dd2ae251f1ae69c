"""Fits a polynomial and inverts a matrix with numpy, whose linear algebra runs on threads of its own."""
import threading

import numpy as np


def main(args):
    size = args.get("size", 200)
    x = np.linspace(-1, 1, 101)
    fit = np.polynomial.polynomial.polyfit(x, 3 * x**2 - 2 * x + 1, 2)
    generator = np.random.default_rng(args.get("seed", 7))
    matrix = generator.normal(size=(size, size)) + size * np.eye(size)
    inverse = np.linalg.inv(matrix)
    spectrum = np.fft.rfft(np.sin(2 * np.pi * 5 * np.arange(256) / 256))
    return {
        "fit": [round(float(c), 9) + 0.0 for c in fit],
        "identity": bool(np.allclose(matrix @ inverse, np.eye(size))),
        "trace": round(float(np.trace(matrix)), 6),
        "peak": int(np.argmax(np.abs(spectrum))),
        "python_threads": threading.active_count(),
        "chance": float(np.random.random()),
    }
