#!/usr/bin/python3
"""What torchvision and Pillow do with images on the way to a batch, in images a second on one core.

    data_peer.py unpack TAR DIR    photographs of a tar into DIR/photo, and into DIR/shards with a
                                   shorter side of 256 pixels, JPEG quality 90
    data_peer.py JOB DIR SECONDS   one line of JSON
    data_peer.py table FILE        medians of data.sh over the rounds, and their ratios

Jobs, as data.sh has them: photo and shards take files of DIR through RandomResizedCrop(224), flip and
normalisation; cifar takes images of 32x32 through crop, flip, normalisation and cutout, and autoaugment
also through AutoAugment's policy for CIFAR-10, both in a DataLoader without workers. Files are read
before the clock starts. The first pass over some images is not timed.
"""
import argparse
import io
import json
import os
import random
import statistics
import tarfile
import time

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def unpack(tar, folder):
    from PIL import Image
    for name in ("photo", "shards"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    with tarfile.open(tar) as t:
        for member in t:
            if not member.name.endswith(".jpg"):
                continue
            data = t.extractfile(member).read()
            name = os.path.basename(member.name)
            with open(os.path.join(folder, "photo", name), "wb") as f:
                f.write(data)
            im = Image.open(io.BytesIO(data)).convert("RGB")
            w, h = im.size
            size = (256, int(256 * h / w)) if w <= h else (int(256 * w / h), 256)
            im.resize(size, Image.BILINEAR).save(os.path.join(folder, "shards", name), quality=90)


def photographs(folder):
    """Decodes, crops, resizes, flips and normalises one image after another, without a DataLoader, which
    would only add to it."""
    from PIL import Image
    from torchvision import transforms
    files = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            files.append(f.read())
    change = transforms.Compose([
        transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize(MEAN, STD)])

    def some(n):
        for i in range(n):
            change(Image.open(io.BytesIO(files[i % len(files)])).convert("RGB"))
        return n
    return some


class Cutout:
    """A square of zeros, clipped at the border (DeVries and Taylor 2017)."""

    def __init__(self, side):
        self.half = side // 2

    def __call__(self, image):
        h, w = image.shape[1:]
        y, x = random.randrange(h), random.randrange(w)
        image[:, max(y - self.half, 0):y + self.half, max(x - self.half, 0):x + self.half] = 0
        return image


def cifar(auto):
    import numpy
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms
    pixels = numpy.random.default_rng(1).integers(0, 256, (10000, 32, 32, 3), dtype=numpy.uint8)
    change = transforms.Compose(
        [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()] +
        ([transforms.AutoAugment(transforms.AutoAugmentPolicy.CIFAR10)] if auto else []) +
        [transforms.ToTensor(), transforms.Normalize(MEAN, STD), Cutout(16)])

    class Images(Dataset):  # as torchvision.datasets.CIFAR10 does it
        def __len__(self):
            return len(pixels)

        def __getitem__(self, i):
            return change(Image.fromarray(pixels[i])), i % 10

    batches = DataLoader(Images(), batch_size=96, shuffle=True, num_workers=0)

    def some(n):
        done = 0
        for images, _ in batches:
            done += len(images)
            if done >= n:
                break
        return done
    return some


def table(path):
    with open(path) as f:
        rows = [json.loads(line) for line in f]
    theirs = [r for r in rows if r["who"] == "torchvision"]
    ours = [r for r in rows if r["who"] == "oneshot"]
    print(f"torchvision {theirs[0]['torchvision']}, Pillow {theirs[0]['pillow']}; images a second of one core")
    print(f"{max(r['round'] for r in rows)} rounds, medians of them; ratio above 1: oneshot is faster\n")
    print(f"{'job':24} {'oneshot':>9} {'torchvision':>12} {'ratio':>6} {'in rounds':>13}")
    for job in dict.fromkeys(r["job"] for r in rows):
        b = {r["round"]: r["images_cpu_s"] for r in theirs if r["job"] == job}
        for way in dict.fromkeys(r["with"] for r in ours if r["job"] == job):
            a = {r["round"]: r["images_cpu_s"] for r in ours if (r["job"], r["with"]) == (job, way)}
            ratios = sorted(a[k] / b[k] for k in a)
            name = job if way == job else f"{job}, {way}"
            print(f"{name:24} {statistics.median(a.values()):9.0f} {statistics.median(b.values()):12.0f} "
                  f"{statistics.median(ratios):6.2f} {ratios[0]:6.2f}-{ratios[-1]:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=["unpack", "photo", "shards", "cifar", "autoaugment", "table"])
    parser.add_argument("args", nargs="*")
    args = parser.parse_args()
    if args.job == "unpack":
        unpack(*args.args)
        return
    if args.job == "table":
        table(*args.args)
        return
    folder, seconds = args.args[0], float(args.args[1])
    import PIL
    import torch
    import torchvision
    torch.set_num_threads(1)
    torch.manual_seed(1)
    random.seed(1)
    if args.job in ("photo", "shards"):
        some = photographs(os.path.join(folder, args.job))
    else:
        some = cifar(args.job == "autoaugment")
    some(64)
    start, processor, images = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        images += some(512)
    print(json.dumps({"job": args.job, "images_s": images / (time.perf_counter() - start),
                      "images_cpu_s": images / (time.process_time() - processor),
                      "torchvision": torchvision.__version__, "pillow": PIL.__version__}))


main()
