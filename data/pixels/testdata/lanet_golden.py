#!/usr/bin/python3
"""Bytes of LaNet's AutoAugment, with scipy's splines and Pillow.

  lanet_golden.py generate    write lanet_golden.json.gz beside this script
  lanet_golden.py verify      recompute and compare; exit status 1 on a difference

Written with scipy 1.10, NumPy 1.24 and Pillow 9.4. The file is JSON:
  images    name -> [h, w, base64 of the bytes (h,w,3)]
  cases     [image, [[operation, magnitude], ...], base64 of the bytes after them]
  sweep     [image, [[operation, magnitude], ...], CRC-32 of the bytes after them]: random and
            extreme magnitudes, and whole draws of the policy with Python's own generator
  policy    [[operation, probability, number], [operation, probability, number]] of each sub-policy
  levels    [operation, number, place between its marks, h, w, magnitude]
Operations and numbers are those of facebookresearch/LaMCTS, LaNAS/LaNet/CIFAR10/auto_augment.py;
the Cubic operations here are its ShearX and so on. A magnitude is what package pixels has: a
factor less 1, a translation in pixels.
"""
import base64
import json
import math
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "testdata"))

import numpy as np
from scipy import ndimage

from augment_golden import apply, crc, images
from golden import main

# Operation, probability in tenths and number, twice.
POLICY = """
Invert 1 7 Contrast 2 6, Rotate 7 2 TranslateX 3 9, Sharpness 8 1 Sharpness 9 3, ShearY 5 8 TranslateY 7 9,
AutoContrast 5 8 Equalize 9 2, ShearY 2 7 Posterize 3 7, Color 4 3 Brightness 6 7, Sharpness 3 9 Brightness 7 9,
Equalize 6 5 Equalize 5 1, Contrast 6 7 Sharpness 6 5, Color 7 7 TranslateX 5 8, Equalize 3 7 AutoContrast 4 8,
TranslateY 4 3 Sharpness 2 6, Brightness 9 6 Color 2 8, Solarize 5 2 Invert 0 3, Equalize 2 0 AutoContrast 6 0,
Equalize 2 8 Equalize 6 4, Color 9 9 Equalize 6 6, AutoContrast 8 4 Solarize 2 8, Brightness 1 3 Color 7 0,
Solarize 4 5 AutoContrast 9 3, TranslateY 9 9 TranslateY 7 9, AutoContrast 9 2 Solarize 8 3, Equalize 8 8 Invert 1 3,
TranslateY 7 9 AutoContrast 9 1
"""
POLICY = [s.split() for s in POLICY.split(",")]
POLICY = [[[a, int(b), int(c)], [d, int(e), int(f)]] for a, b, c, d, e, f in POLICY]

# The two ends of an operation's marks, and how far the magnitude is from them.
FACTOR = (0.1, 1.9)
RANGES = {
    "ShearX": (-0.3, 0.3), "ShearY": (-0.3, 0.3), "TranslateX": (-150 / 331, 150 / 331), "TranslateY": (-150 / 331, 150 / 331),
    "Rotate": (-30, 30), "Solarize": (0, 256), "Posterize": (4, 8),
    "Contrast": FACTOR, "Color": FACTOR, "Brightness": FACTOR, "Sharpness": FACTOR,
}
CUBIC = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")


def level(op, number, place, h, w):
    if op not in RANGES:
        return 0.0
    marks = np.linspace(*RANGES[op], 11)
    v = float(marks[number] + (marks[number + 1] - marks[number]) * place)
    if op == "TranslateX":
        return w * v
    if op == "TranslateY":
        return h * v
    if op == "Posterize":
        return float(int(round(v)))
    return v - 1 if RANGES[op] is FACTOR else v


def product(a, b):
    """Of two 3x3 matrices, term by term: NumPy's rounds as the processor's BLAS does."""
    return [[sum((a[i][k] * b[k][j] for k in range(3)), 0.0) for j in range(3)] for i in range(3)]


def cubic(pixels, op, m):
    """A 3x3 map of (row, column, 1) is moved to the middle, and scipy does the rest."""
    t = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    if op == "ShearX":
        t[0][1] = m
    elif op == "ShearY":
        t[1][0] = m
    elif op == "TranslateX":
        t[1][2] = m
    elif op == "TranslateY":
        t[0][2] = m
    else:
        a = m * (math.pi / 180)
        t[0][:2], t[1][:2] = [math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]
    y, x = pixels.shape[0] / 2 + 0.5, pixels.shape[1] / 2 + 0.5
    t = product([[1.0, 0.0, y], [0.0, 1.0, x], [0.0, 0.0, 1.0]], t)
    t = np.array(product(t, [[1.0, 0.0, -y], [0.0, 1.0, -x], [0.0, 0.0, 1.0]]))
    out = np.empty_like(pixels)
    for c in range(3):
        out[:, :, c] = ndimage.affine_transform(pixels[:, :, c], t[:2, :2], t[:2, 2])
    return out


def applied(pixels, ops):
    for op, m in ops:
        if op.startswith("Cubic"):
            pixels = cubic(pixels, op[5:], m)
        else:
            pixels = np.frombuffer(apply(pixels, [[op, m]]), np.uint8).reshape(pixels.shape)
    return pixels.tobytes()


def named(op):
    return "Cubic" + op if op in CUBIC else op


def draw(r, h, w):
    ops = []
    for op, probability, number in r.choice(POLICY):
        if r.random() * 10 < probability:
            ops.append([named(op), level(op, number, r.random(), h, w)])
    return ops


def compute():
    pictures = images()
    golden = {
        "images": {k: [*v.shape[:2], base64.b64encode(v.tobytes()).decode()] for k, v in pictures.items()},
        "cases": [], "sweep": [], "policy": POLICY, "levels": [],
    }
    r = random.Random(4)
    for op in CUBIC:
        for name, p in pictures.items():
            h, w = p.shape[:2]
            edge = {"TranslateX": w, "TranslateY": h, "Rotate": 90}.get(op, 1)
            magnitudes = [0.0, 0.25 * edge, -edge / 2, edge, -1.7 * edge] + [level(op, r.randrange(10), r.random(), h, w) for _ in range(40)]
            for i, m in enumerate(magnitudes):
                ops = [["Cubic" + op, m]]
                if name in ("noise", "small", "nine", "row", "dot") and i in (5, 6):
                    golden["cases"].append([name, ops, base64.b64encode(applied(p, ops)).decode()])
                golden["sweep"].append([name, ops, crc(applied(p, ops))])
    for i in range(400):
        name = ("scene", "noise", "wide", "steep")[i % 4]
        h, w = pictures[name].shape[:2]
        ops = draw(r, h, w)
        golden["sweep"].append([name, ops, crc(applied(pictures[name], ops))])
    for op in RANGES:
        for number in range(10):
            for place in (0.0, r.random(), r.random()):
                golden["levels"].append([op, number, place, 24, 32, level(op, number, place, 24, 32)])
    return json.loads(json.dumps(golden))


if __name__ == "__main__":
    main(__file__, __doc__, compute, "scipy and Pillow", lambda g: f"{len(g['cases'])} cases and {len(g['sweep'])} sums")
