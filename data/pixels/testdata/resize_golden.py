#!/usr/bin/env python3
"""Writes resize_golden.json: what Pillow and torchvision make of small images.

    resize_golden.py         write it
    resize_golden.py verify  compare it with what they make now

Written with Pillow 9.4.0, torchvision 0.14.1 and torch 1.13.0. The pixels of a source are those of
`pixels`, which the Go test has too, so the file holds results only.
"""
import base64
import json
import os
import sys

import numpy as np
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "resize_golden.json")


def pixels(h, w, channels, seed):
    """Noise over edges and plains, so that rounding and clipping both happen."""
    state = np.uint32(seed)
    out = np.empty(h * w * channels, np.uint8)
    with np.errstate(over="ignore"):
        for i in range(out.size):
            state = state * np.uint32(1664525) + np.uint32(1013904223)
            v = int(state >> np.uint32(24))
            out[i] = 0 if v < 64 else 255 if v > 191 else v
    return out.reshape((h, w, channels))


# Height and width of the source, channels, box (y0, x0, y1, x1), output height and width.
RESIZES = [
    (23, 31, 3, (0, 0, 23, 31), 11, 17),     # down, odd sides
    (23, 31, 1, (0, 0, 23, 31), 11, 17),
    (23, 31, 3, (3, 5, 20, 27), 16, 16),     # a box inside
    (23, 31, 1, (3, 5, 20, 27), 16, 16),
    (23, 31, 3, (0, 9, 23, 31), 30, 41),     # up, at the right border
    (23, 31, 1, (0, 9, 23, 31), 30, 41),
    (23, 31, 3, (12, 0, 23, 7), 9, 9),       # one side up, one down, at the bottom left
    (9, 8, 3, (0, 0, 9, 8), 27, 24),         # three times as large
    (40, 36, 3, (0, 0, 40, 36), 5, 4),       # eight and nine times as small
    (40, 36, 1, (0, 0, 40, 36), 5, 4),
    (47, 61, 3, (0, 0, 47, 61), 3, 2),       # thirty times as small
    (47, 61, 1, (0, 0, 47, 61), 1, 1),
    (47, 61, 3, (0, 0, 47, 61), 16, 20),     # about three times as small
    (47, 61, 1, (1, 0, 47, 60), 10, 13),     # 4.6 times as small
    (12, 12, 3, (0, 0, 12, 12), 12, 12),     # as it is
    (12, 12, 3, (2, 3, 9, 10), 7, 7),        # only cut out
    (12, 12, 3, (0, 0, 12, 12), 12, 7),      # one direction alone
    (12, 12, 3, (0, 0, 12, 12), 7, 12),
    (1, 1, 3, (0, 0, 1, 1), 1, 1),           # one pixel
    (1, 1, 3, (0, 0, 1, 1), 5, 6),
    (1, 1, 1, (0, 0, 1, 1), 5, 6),
    (5, 6, 3, (0, 0, 5, 6), 1, 1),
    (5, 6, 3, (4, 5, 5, 6), 3, 4),           # the last pixel
    (1, 17, 3, (0, 0, 1, 17), 8, 8),         # a line
    (17, 1, 1, (0, 0, 17, 1), 8, 8),
    (37, 70, 3, (0, 0, 37, 70), 32, 64),     # a little smaller
    (37, 70, 1, (2, 1, 36, 69), 30, 65),
]

# Height and width of the image, side of the crop, share of the shorter side.
CENTERS = [(533, 400, 224, 0.875), (400, 533, 224, 0.875), (375, 500, 224, 0.875), (256, 256, 224, 0.875),
           (257, 333, 224, 0.875), (333, 257, 160, 0.875), (97, 31, 32, 1.0), (31, 97, 32, 1.0), (500, 333, 299, 0.95),
           (1, 7, 8, 0.5), (711, 400, 225, 0.875), (640, 427, 223, 0.9), (1023, 767, 224, 0.875)]

SIDES = [(533, 400), (400, 533), (375, 500), (32, 32), (3, 50), (50, 3), (1, 1), (20, 1), (2, 3), (1000, 700)]


def resizes():
    out = []
    for seed, (h, w, channels, (y0, x0, y1, x1), oh, ow) in enumerate(RESIZES, 1):
        src = pixels(h, w, channels, seed)
        im = Image.fromarray(src if channels == 3 else src[:, :, 0])
        got = functional.resized_crop(im, y0, x0, y1 - y0, x1 - x0, [oh, ow])
        out.append({"h": h, "w": w, "channels": channels, "seed": seed, "box": [y0, x0, y1, x1], "outH": oh, "outW": ow,
                    "pixels": base64.b64encode(np.asarray(got).tobytes()).decode()})
    return out


def centers():
    """What Resize and CenterCrop call Pillow with."""
    out = []
    seen = {}
    crop = functional.crop
    functional.crop = lambda im, top, left, height, width: seen.update(top=top, left=left) or crop(im, top, left, height, width)
    for h, w, side, share in CENTERS:
        im = functional.resize(Image.new("L", (w, h)), int(side / share))
        functional.center_crop(im, side)
        out.append({"h": h, "w": w, "side": side, "crop": share, "outH": im.size[1], "outW": im.size[0],
                    "top": seen["top"], "left": seen["left"]})
    functional.crop = crop
    return out


def boxes():
    """Boxes of RandomResizedCrop, with the shares and ratios that it drew: the last fits, or none of ten does."""
    out = []
    ratio = (3.0 / 4.0, 4.0 / 3.0)
    for h, w in SIDES:
        for low in (0.08, 0.5):
            for seed in range(6):
                torch.manual_seed(seed)
                i, j, bh, bw = transforms.RandomResizedCrop.get_params(Image.new("L", (w, h)), [low, 1.0], list(ratio))
                torch.manual_seed(seed)
                draws = []
                for _ in range(10):
                    share = torch.empty(1).uniform_(low, 1.0).item()
                    aspect = torch.exp(torch.empty(1).uniform_(*torch.log(torch.tensor(ratio)))).item()
                    draws.append((share, aspect))
                    a = h * w * share
                    if 0 < round((a * aspect) ** 0.5) <= w and 0 < round((a / aspect) ** 0.5) <= h:
                        break
                else:
                    draws.append(None)
                out.append({"h": h, "w": w, "draws": [list(d) for d in draws if d], "fallback": draws[-1] is None,
                            "box": [i, j, i + bh, j + bw]})
    return out


def main():
    parts = {"resizes": resizes(), "centers": centers(), "boxes": boxes()}
    rows = [f'"{name}": [\n' + ",\n".join(json.dumps(r) for r in part) + "\n]" for name, part in parts.items()]
    text = "{\n" + ",\n".join(rows) + "\n}\n"
    if sys.argv[1:] == ["verify"]:
        if open(OUT).read() != text:
            sys.exit("resize_golden: another result than in resize_golden.json")
        print("resize_golden: the same")
        return
    open(OUT, "w").write(text)


main()
