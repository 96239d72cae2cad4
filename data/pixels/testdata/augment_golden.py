#!/usr/bin/python3
"""Bytes of torchvision's augmentations, applied to PIL images.

  augment_golden.py generate    write augment_golden.json.gz beside this script
  augment_golden.py verify      recompute and compare; exit status 1 on a difference

Written with torchvision 0.14 and Pillow 9.4. The file is JSON:
  images    name -> [h, w, base64 of the bytes (h,w,3)]
  cases     [image, [[operation, magnitude], ...], base64 of the bytes after them]
  sweep     [image, [[operation, magnitude], ...], CRC-32 of the bytes after them]: every magnitude
            that a policy can draw, and whole draws of the policies with torchvision's own generator
  colours   [operation, magnitude, CRC-32 of what becomes of all 2^24 colours, in the order of 0xRRGGBB]
  policies  name -> torchvision's table: [[operation, probability, number of the magnitude], ...]
            of each sub-policy
  levels    [operation, number, bins, h, w, magnitude]
A magnitude is _apply_op's; that of Hue is adjust_hue's factor.
"""
import base64
import json
import os
import random
import sys
import zlib

# torch.linspace fuses a product and a sum where the processor can; as everywhere from AVX2 on.
os.environ["ATEN_CPU_CAPABILITY"] = "avx2"
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "testdata"))

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode, autoaugment
from torchvision.transforms import functional as F

from golden import main


def scene(h, w):
    """A photograph's stand-in: slopes, a disc and a little noise, from integers alone."""
    r = random.Random(1)
    p = np.zeros((h, w, 3), np.int64)
    for y in range(h):
        for x in range(w):
            inside = (2 * x - w) ** 2 + (2 * y - h) ** 2 < h * w // 2
            base = (200, 90, 40) if inside else (30 + 4 * x, 60 + 3 * y, 140 - 2 * x)
            p[y, x] = [v + r.randrange(3) for v in base]
    return p.clip(0, 255).astype(np.uint8)


def noise(h, w):
    r = random.Random(2)
    return np.array([r.randrange(256) for _ in range(h * w * 3)], np.uint8).reshape(h, w, 3)


def images():
    flat = np.full((8, 8, 3), (17, 130, 255), np.uint8)
    one = scene(10, 12)
    one[:, :, 1] = 77
    # Few dark values and one bright: the steps of equalize end above 255.
    steep = np.zeros((20, 26, 3), np.uint8)
    steep.reshape(-1)[: 3 * 509] = np.arange(3 * 509) % 50
    steep.reshape(-1)[3 * 509 :] = 200
    return {
        "scene": scene(32, 32), "noise": noise(17, 23), "wide": scene(9, 40), "flat": flat, "one": one, "steep": steep,
        "dot": noise(1, 1), "row": noise(1, 5), "small": noise(2, 3), "nine": noise(3, 3),
    }


SIGNED = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness")
PLAIN = ("Identity", "AutoContrast", "Equalize", "Invert")
MAGNITUDES = {
    "ShearX": (-0.3, 0.0, 0.1, 1.5), "ShearY": (-0.3, 0.0, 0.1, 1.5),
    "TranslateX": (-9.9, -1.0, 0.9, 4.2, 400.0), "TranslateY": (-9.9, -1.0, 0.9, 4.2, 400.0),
    "Rotate": (-30.0, 0.0, 7.0, 45.0, 90.0, 180.0, -725.0),
    "Brightness": (-1.0, -0.9, 0.0, 0.4, 3.0), "Color": (-1.0, -0.9, 0.0, 0.4, 3.0),
    "Contrast": (-1.0, -0.9, 0.0, 0.4, 3.0), "Sharpness": (-1.0, -0.9, 0.0, 0.4, 3.0),
    "Posterize": (0.0, 1.0, 4.0, 7.0, 8.0), "Solarize": (0.0, 0.5, 128.0, 255.0, 256.0),
    "Hue": (-0.5, -0.2, 0.0, 0.003, 0.1, 0.5),
}


def apply(pixels, ops):
    img = Image.fromarray(pixels, "RGB")
    for op, magnitude in ops:
        if op == "Hue":
            img = F.adjust_hue(img, magnitude)
        else:
            img = autoaugment._apply_op(img, op, magnitude, interpolation=InterpolationMode.NEAREST, fill=None)
    return np.asarray(img).tobytes()


def crc(data):
    return zlib.crc32(data) & 0xFFFFFFFF


def drawn(transform, pixels, seed):
    """The operations that torchvision draws and the image that it makes with them."""
    ops, real = [], autoaugment._apply_op

    def record(img, op, magnitude, **kw):
        ops.append([op, magnitude])
        return real(img, op, magnitude, **kw)

    autoaugment._apply_op = record
    try:
        torch.manual_seed(seed)
        out = transform(Image.fromarray(pixels, "RGB"))
    finally:
        autoaugment._apply_op = real
    return ops, np.asarray(out).tobytes()


def compute():
    pictures = images()
    golden = {
        "images": {k: [*v.shape[:2], base64.b64encode(v.tobytes()).decode()] for k, v in pictures.items()},
        "cases": [], "sweep": [], "colours": [], "policies": {}, "levels": [],
    }

    def case(name, ops):
        golden["cases"].append([name, ops, base64.b64encode(apply(pictures[name], ops)).decode()])

    for op in PLAIN:
        for name in pictures:
            case(name, [[op, 0.0]])
    for op, magnitudes in MAGNITUDES.items():
        for m in magnitudes:
            for name in pictures if op in ("Rotate", "Sharpness", "Hue") else ("noise", "one", "dot", "small"):
                if name not in ("scene", "steep"):
                    case(name, [[op, m]])
                else:
                    golden["sweep"].append([name, [[op, m]], crc(apply(pictures[name], [[op, m]]))])

    for bins in (10, 31):
        for name in ("scene", "noise", "wide"):
            h, w = pictures[name].shape[:2]
            space = autoaugment.AutoAugment()._augmentation_space(bins, (h, w))
            for op, (magnitudes, signed) in space.items():
                if magnitudes.ndim == 0:
                    continue
                assert signed == (op in SIGNED)
                for i, m in enumerate(magnitudes.tolist()):
                    golden["levels"].append([op, i, bins, h, w, float(m)])
                    for sign in (1, -1) if signed else (1,):
                        golden["sweep"].append([name, [[op, sign * m]], crc(apply(pictures[name], [[op, sign * m]]))])

    # ColorJitter's four, in drawn orders.
    r = random.Random(3)
    for i in range(48):
        ops = [["Brightness", r.uniform(-1, 1)], ["Contrast", r.uniform(-1, 1)], ["Color", r.uniform(-1, 1)], ["Hue", r.uniform(-0.5, 0.5)]]
        r.shuffle(ops)
        name = ("scene", "noise", "one")[i % 3]
        golden["sweep"].append([name, ops, crc(apply(pictures[name], ops))])

    count = np.arange(1 << 24)
    colours = np.stack([count >> 16, count >> 8 & 255, count & 255], -1).astype(np.uint8).reshape(4096, 4096, 3)
    for op, m in (("Hue", 0.1), ("Color", 0.37)):
        golden["colours"].append([op, m, crc(apply(colours, [[op, m]]))])

    policies = {
        "autoaugment-cifar10": autoaugment.AutoAugment(autoaugment.AutoAugmentPolicy.CIFAR10),
        "autoaugment-imagenet": autoaugment.AutoAugment(autoaugment.AutoAugmentPolicy.IMAGENET),
        "randaugment": autoaugment.RandAugment(3, 12),
    }
    for key, transform in policies.items():
        for seed in range(60):
            name = ("scene", "noise", "wide", "one")[seed % 4]
            ops, out = drawn(transform, pictures[name], seed)
            golden["sweep"].append([name, ops, crc(out)])
        if key != "randaugment":
            golden["policies"][key] = transform.policies
    golden["policies"]["randaugment"] = list(policies["randaugment"]._augmentation_space(31, (32, 32)))
    return json.loads(json.dumps(golden))


if __name__ == "__main__":
    main(__file__, __doc__, compute, "torchvision", lambda g: f"{len(g['cases'])} cases and {len(g['sweep'])} sums")
