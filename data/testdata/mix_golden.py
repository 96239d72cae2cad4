#!/usr/bin/python3
"""Images and labels mixed by NumPy, with everything drawn beforehand.

  mix_golden.py generate    write mix_golden.json.gz beside this script
  mix_golden.py verify      recompute and compare; exit status 1 on a difference

Arrays are base64 of little-endian float32. The file is JSON:
  boxes    [share, y, x, side, [y0, x0, y1, x1], share of the image that is left]
  batches  a batch that is mixed with itself: side, classes, cut (or added), share, y, x, partners,
           images (N,side,side,3) and labels (N) before it; and mixed, targets (N,classes), largest
  chains   an image that is mixed with others in turn, with the same fields: images (1+n,side,side,3)
           and labels (1+n) of the image and its partners, and steps [cut, share, y, x] (n)
The formulas are those of mixup (arXiv 1710.09412, section 2) and CutMix (arXiv 1905.04899, section
3.1 and algorithm 1), shares and images in float32 as PyTorch has them.
"""
import base64
import json
import random
import sys

sys.dont_write_bytecode = True

import numpy as np

from golden import main


def coded(a):
    return base64.b64encode(np.ascontiguousarray(a, "<f4").tobytes()).decode()


def covered(share, y, x, side):
    """The rectangle that is pasted, as a mask, and its corners."""
    cut = int(side * np.sqrt(1.0 - share))
    y0, y1 = np.clip([y - cut // 2, y + cut // 2], 0, side)
    x0, x1 = np.clip([x - cut // 2, x + cut // 2], 0, side)
    mask = np.zeros((side, side, 1), bool)
    mask[y0:y1, x0:x1] = True
    return mask, [int(v) for v in (y0, x0, y1, x1)]


def mixed(cut, share, y, x, a, b, ta, tb):
    """Images a with partners b, and their targets."""
    if cut:
        mask, _ = covered(share, y, x, a.shape[-2])
        out = np.where(mask, b, a)
        share = 1.0 - mask.sum() / mask.size
    else:
        out = np.float32(share) * a + np.float32(1.0 - share) * b
    targets = ta * np.float32(share) + tb * np.float32(1.0 - share)
    assert out.dtype == targets.dtype == np.float32
    return out, targets


def compute():
    r, n = random.Random(8), np.random.RandomState(8)
    golden = {"boxes": [], "batches": [], "chains": []}
    shares = [0.0, 1.0, 0.5, 0.75, 1e-9, 1 - 1e-9] + [r.random() for _ in range(194)]
    for share in shares:
        side = r.choice((1, 5, 8, 32, 33, 224))
        y, x = r.randrange(side), r.randrange(side)
        mask, box = covered(share, y, x, side)
        golden["boxes"].append([share, y, x, side, box, float(np.float32(1.0 - mask.sum() / mask.size))])

    def drawn(count):
        side, classes = r.choice((4, 7)), r.choice((3, 6))
        images = n.uniform(-2.5, 2.5, (count, side, side, 3)).astype(np.float32)
        labels = n.randint(0, classes, count)
        return side, classes, images, labels, np.eye(classes, dtype=np.float32)[labels]

    for i in range(24):
        side, classes, images, labels, hot = drawn(r.choice((1, 2, 5, 9)))
        cut, share, y, x = i % 2 == 1, shares[i // 2], r.randrange(side), r.randrange(side)
        partners = n.permutation(len(images))
        out, targets = mixed(cut, share, y, x, images, images[partners], hot, hot[partners])
        golden["batches"].append({
            "side": side, "classes": classes, "cut": cut, "share": share, "y": y, "x": x, "partners": partners.tolist(),
            "images": coded(images), "labels": labels.tolist(),
            "mixed": coded(out), "targets": coded(targets), "largest": targets.argmax(1).tolist(),
        })
    for i in range(12):
        side, classes, images, labels, hot = drawn(1 + i % 4)
        out, target, steps = images[0], hot[0], []
        for k in range(1, len(images)):
            step = [r.random() < 0.7, r.random(), r.randrange(side), r.randrange(side)]
            out, target = mixed(*step, out, images[k], target, hot[k])
            steps.append(step)
        golden["chains"].append({
            "side": side, "classes": classes, "steps": steps, "images": coded(images), "labels": labels.tolist(),
            "mixed": coded(out), "targets": coded(target), "largest": [int(target.argmax())],
        })
    return json.loads(json.dumps(golden))


if __name__ == "__main__":
    main(__file__, __doc__, compute, "NumPy", lambda g: f"{len(g['batches'])} batches, {len(g['chains'])} images and {len(g['boxes'])} boxes")
