#!/usr/bin/python3
"""An exported network in PyTorch on the files of a folder, as one would do it with torchvision.

    folder_eval.py MODEL DATA_DIR [--split test|search] [--given FILE --tolerance T]

DATA_DIR is a folder of train/<class>/ and val/<class>/ or test/<class>/, which ImageFolder lists and
Pillow decodes, upright by their EXIF tag. Images go through Resize, CenterCrop, ToTensor and Normalize
with the numbers of the file's metadata. Prints one JSON object: how many images, how many of them
right, top-1 and mean loss.

--given holds what oneshot saw and said of the same images in the same order: x (N,3,H,W) normalised,
logits (N,classes) and labels (N). Then also printed: the largest and the mean difference of pixels, in
levels of 255, of logits from the same files, and of logits from the same pixels; and how many
predictions differ, of images whose two largest logits are more than twice the tolerance apart
("differ_decided"), and of the others ("differ_undecided").
"""
import argparse
import contextlib
import hashlib
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3, "supernet", "testdata"))

import torch
from PIL import Image, ImageOps
from torch.nn import functional
from torchvision import datasets, transforms

from parity import load_export
from torchnet import read_safetensors


def upright(path):
    """ImageFolder's loader, and what the camera says about up."""
    with open(path, "rb") as f:
        return ImageOps.exif_transpose(Image.open(f)).convert("RGB")


def evaluation(about):
    """What an image goes through before the network sees it; about is the metadata of an export."""
    side = about["image"]
    if about["data"]["resize"] != "crop":
        raise SystemExit("folder_eval: data.resize=stretch is not what torchvision does by default")
    return transforms.Compose([
        transforms.Resize(int(side / about["data"]["crop_pct"])), transforms.CenterCrop(side),
        transforms.ToTensor(), transforms.Normalize(about["mean"], about["std"])])


class Stream:
    """The random numbers of a name: PCG-DXSM of 128 bits (O'Neill 2014; DXSM as in NumPy's PCG64DXSM
    with a full-width multiplier), seeded by a SHA-256 of seed and name."""

    def __init__(self, seed, role, *ids):
        word = lambda v: v.to_bytes(8, "little")
        digest = hashlib.sha256(word(seed) + word(len(role)) + role.encode() + b"".join(map(word, ids))).digest()
        high, low = (int.from_bytes(digest[at:at + 8], "little") for at in (0, 8))
        self.state = high << 64 | low

    def word(self):
        self.state = (self.state * 0x2360ED051FC65DA44385DF649FCCF645 + 0x5851F42D4C957F2D14057B7EF767814F) % 2**128
        v, low = self.state >> 64, self.state % 2**64
        v = (v ^ v >> 32) * 0xDA942042E4DD58B5 % 2**64
        return (v ^ v >> 48) * (low | 1) % 2**64

    def below(self, n):
        """An integer from 0 to n-1 (Lemire 2019)."""
        if n & (n - 1) == 0:
            return self.word() & (n - 1)
        while True:
            product = self.word() * n
            if product % 2**64 >= 2**64 % n:
                return product >> 64

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]


def carve(labels, n, seed):
    """The indices that stay for training, and the n that are held out for the search: class by class
    in proportion, whole parts first and then the largest remainders; every class keeps an image."""
    members = [[i for i, y in enumerate(labels) if y == c] for c in range(max(labels) + 1)]
    share = [divmod(len(m) * n, len(labels)) for m in members]
    quota = [whole for whole, _ in share]
    for c in sorted(range(len(members)), key=lambda c: -share[c][1])[:n - sum(quota)]:
        quota[c] += 1
    train, held = [], []
    for c, m in enumerate(members):
        k = max(0, min(quota[c], len(m) - 1))
        Stream(seed, "split", c).shuffle(m)
        held += m[:k]
        train += m[k:]
    return sorted(train), sorted(held)


class Folder:
    """The splits of a folder as an exported network's metadata says that it was trained on them:
    train, search and test are lists of (path, label)."""

    def __init__(self, root, about):
        of = about["data"]
        if of["search_from"] or of["test_from"] or of["on_bad_sample"] != "error":
            raise SystemExit("folder_eval: data.search_from, test_from and on_bad_sample are not looked at: want their defaults")
        sets = {name: datasets.ImageFolder(os.path.join(root, name))
                for name in ("train", "val", "test") if os.path.isdir(os.path.join(root, name))}
        if "train" not in sets or len(sets) < 2:
            raise SystemExit(f"folder_eval: {root}: want folders train, and val or test or both")
        for s in sets.values():
            if s.classes != about["classes"]:
                raise SystemExit(f"folder_eval: {s.root} has classes {s.classes}, the network {about['classes']}")
        official = sets["train"].samples
        self.test = sets["test" if "test" in sets else "val"].samples
        if len(sets) == 3:
            self.train, self.search = official, sets["val"].samples
        else:
            train, held = carve([y for _, y in official], of["search_size"], about["seed"])
            self.train, self.search = ([official[i] for i in part] for part in (train, held))
        for name, have in (("train", len(official)), ("search", len(self.search)), ("test", len(self.test))):
            if have != of[name + "_size"]:
                raise SystemExit(f"folder_eval: {have} {name} images, the network was made with {of[name + '_size']}")


class Images(torch.utils.data.Dataset):
    """Samples, decoded and changed one at a time."""

    def __init__(self, samples, change):
        self.samples, self.change = samples, change

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        path, y = self.samples[i]
        return self.change(upright(path)), y


def classify(net, images):
    """Logits (N,classes), labels (N) and pixels (N,3,H,W) of images by a network in evaluation mode."""
    parts = []
    with torch.no_grad():
        for x, y in torch.utils.data.DataLoader(images, batch_size=100):
            parts.append((net(x)[0], y, x))
    return [torch.cat(p) for p in zip(*parts)]


def score(logits, labels):
    right = (logits.argmax(1) == labels).sum().item()
    return {"images": len(labels), "right": right, "top1": right / len(labels),
            "loss": functional.cross_entropy(logits, labels).item()}


def read_network(path):
    """The network of an exported file, in evaluation mode, and the file's metadata about it."""
    with contextlib.redirect_stdout(sys.stderr):
        net, _ = load_export(path, os.path.join(os.path.dirname(path), "arch.json"))
    return net.float(), json.loads(read_safetensors(path)[1]["oneshot"])


def compare(given, net, about, logits, labels, x, tolerance):
    theirs, _ = read_safetensors(given)
    if theirs["labels"].tolist() != labels.tolist():
        raise SystemExit("folder_eval: the labels differ, so these are other images or in another order")
    with torch.no_grad():
        same_pixels = net(theirs["x"])[0]
    levels = (theirs["x"] - x).abs() * 255 * torch.tensor(about["std"]).reshape(3, 1, 1)
    top = logits.topk(2, 1).values
    decided = top[:, 0] - top[:, 1] > 2 * tolerance
    differ = logits.argmax(1) != theirs["logits"].argmax(1)
    return {
        "max_level": levels.max().item(), "mean_level": levels.mean().item(),
        "max_logit": (theirs["logits"] - logits).abs().max().item(),
        "max_logit_same_pixels": (theirs["logits"] - same_pixels).abs().max().item(),
        "largest_logit": logits.abs().max().item(), "predicted_classes": len(logits.argmax(1).unique()),
        "differ_decided": (differ & decided).sum().item(), "differ_undecided": (differ & ~decided).sum().item(),
        "decided": decided.sum().item(),
    }


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("data_dir")
    p.add_argument("--split", choices=["test", "search"], default="test")
    p.add_argument("--given")
    p.add_argument("--tolerance", type=float, default=0.1, help="of logits")
    args = p.parse_args()
    torch.set_num_threads(1)
    net, about = read_network(args.model)
    samples = getattr(Folder(args.data_dir, about), args.split)
    logits, labels, x = classify(net, Images(samples, evaluation(about)))
    result = score(logits, labels)
    if args.given:
        result.update(compare(args.given, net, about, logits, labels, x, args.tolerance))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
