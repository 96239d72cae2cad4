"""The recipe with which LaNet was trained on CIFAR-10, in PyTorch: batches and averaged weights.

Images are read from the binary version of CIFAR-10. A training image is moved by up to 4 pixels and
mirrored half of the time, changed by a policy of AutoAugment's for CIFAR-10 (Cubuk et al. 2019, table 7),
and mixed with any other image so changed by CutMix (Yun et al. 2019).

The policies are done as LaNet's release does them, not as torchvision does. A magnitude m is drawn
between values m and m+1 of eleven that are evenly spread over the operation's range. Shears, translations
and rotations go through a cubic spline (scipy's affine_transform) about the point (side/2 + 0.5) on both
axes, channel by channel; what lies outside is black.
"""
import glob
import os
import random

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from scipy import ndimage
from torch.utils.data import DataLoader, Dataset

MEAN, STD = (0.49139968, 0.48215827, 0.44653124), (0.24703233, 0.24348505, 0.26158768)
CLASSES, SIDE = 10, 32

# operation, probability, magnitude, twice
POLICIES = [line.split() for line in """\
Invert 0.1 7 Contrast 0.2 6
Rotate 0.7 2 TranslateX 0.3 9
Sharpness 0.8 1 Sharpness 0.9 3
ShearY 0.5 8 TranslateY 0.7 9
AutoContrast 0.5 8 Equalize 0.9 2
ShearY 0.2 7 Posterize 0.3 7
Color 0.4 3 Brightness 0.6 7
Sharpness 0.3 9 Brightness 0.7 9
Equalize 0.6 5 Equalize 0.5 1
Contrast 0.6 7 Sharpness 0.6 5
Color 0.7 7 TranslateX 0.5 8
Equalize 0.3 7 AutoContrast 0.4 8
TranslateY 0.4 3 Sharpness 0.2 6
Brightness 0.9 6 Color 0.2 8
Solarize 0.5 2 Invert 0.0 3
Equalize 0.2 0 AutoContrast 0.6 0
Equalize 0.2 8 Equalize 0.6 4
Color 0.9 9 Equalize 0.6 6
AutoContrast 0.8 4 Solarize 0.2 8
Brightness 0.1 3 Color 0.7 0
Solarize 0.4 5 AutoContrast 0.9 3
TranslateY 0.9 9 TranslateY 0.7 9
AutoContrast 0.9 2 Solarize 0.8 3
Equalize 0.8 8 Invert 0.1 3
TranslateY 0.7 9 AutoContrast 0.9 1""".splitlines()]

RANGES = {"ShearX": (-0.3, 0.3), "ShearY": (-0.3, 0.3), "TranslateX": (-150 / 331, 150 / 331),
          "TranslateY": (-150 / 331, 150 / 331), "Rotate": (-30, 30), "Solarize": (0, 256), "Posterize": (4, 8),
          "Contrast": (0.1, 1.9), "Color": (0.1, 1.9), "Brightness": (0.1, 1.9), "Sharpness": (0.1, 1.9)}


def matrix(op, value):
    """The map of an output's (row, column) to the input's, about the centre, and its shift."""
    if op == "Rotate":
        s, c = np.sin(np.radians(value)), np.cos(np.radians(value))
        return np.array([[c, -s], [s, c]]), np.zeros(2)
    return {"ShearX": np.array([[1, value], [0, 1]]), "ShearY": np.array([[1, 0], [value, 1]])}.get(op, np.eye(2)), \
        SIDE * np.array([value * (op == "TranslateY"), value * (op == "TranslateX")])


def apply(op, value, pixels):
    """An operation on pixels (32,32,3) of bytes."""
    if op[:5] in ("Shear", "Trans", "Rotat"):
        linear, shift = matrix(op, value)
        centre = np.full(2, SIDE / 2 + 0.5)
        offset = linear @ (shift - centre) + centre
        return np.stack([ndimage.affine_transform(pixels[:, :, c], linear, offset) for c in range(3)], axis=2)
    im = Image.fromarray(pixels)
    if op in ("Contrast", "Color", "Brightness", "Sharpness"):
        return np.asarray(getattr(ImageEnhance, op)(im).enhance(value))
    if op == "Solarize":
        return np.asarray(ImageOps.solarize(im, value))
    if op == "Posterize":
        return np.asarray(ImageOps.posterize(im, round(value)))
    return np.asarray(getattr(ImageOps, op.lower())(im))


def auto_augment(r, pixels):
    """One policy, drawn by r (random.Random)."""
    policy = r.choice(POLICIES)
    for op, probability, magnitude in (policy[:3], policy[3:]):
        if r.random() >= float(probability):
            continue
        value = None
        if op in RANGES:
            steps = np.linspace(*RANGES[op], 11)
            value = r.uniform(steps[int(magnitude)], steps[int(magnitude) + 1])
        pixels = apply(op, value, pixels)
    return pixels


def cutmix_box(r):
    """Rows and columns of the rectangle: the part of the image has beta distribution (1,1), which is
    uniform, and the centre is any pixel."""
    half = int(SIDE * (1 - r.random()) ** 0.5) // 2
    y, x = r.randrange(SIDE), r.randrange(SIDE)
    return slice(max(y - half, 0), min(y + half, SIDE)), slice(max(x - half, 0), min(x + half, SIDE))


class Training(Dataset):
    """Batches of training images: item indices are x (N,3,32,32), normalised, and targets y (N,10)."""

    def __init__(self, pixels, labels, prob=0.5, times=2):
        self.pixels, self.labels, self.prob, self.times = pixels, labels, prob, times
        self.scale = torch.tensor([1 / (255 * s) for s in STD]).view(3, 1, 1)
        self.shift = torch.tensor([-m / s for m, s in zip(MEAN, STD)]).view(3, 1, 1)

    def one(self, i):
        """An image (32,32,3) after its own changes."""
        moved = np.zeros((SIDE + 8, SIDE + 8, 3), np.uint8)
        moved[4:-4, 4:-4] = self.pixels[i]
        y, x = random.randrange(9), random.randrange(9)
        image = moved[y:y + SIDE, x:x + SIDE]
        if random.random() < 0.5:
            image = image[:, ::-1]
        return auto_augment(random, np.ascontiguousarray(image))

    def mixed(self, i):
        image, target = self.one(i), np.zeros(CLASSES, np.float32)
        target[self.labels[i]] = 1
        for _ in range(self.times):
            if random.random() >= self.prob:
                continue
            j = random.randrange(len(self.pixels))
            rows, columns = cutmix_box(random)
            image = image.copy()
            image[rows, columns] = self.one(j)[rows, columns]
            kept = 1 - (rows.stop - rows.start) * (columns.stop - columns.start) / SIDE ** 2
            target *= kept
            target[self.labels[j]] += 1 - kept
        return image, target

    def __getitem__(self, indices):
        images, targets = zip(*(self.mixed(i) for i in indices))
        return normalise(np.stack(images), self.scale, self.shift), torch.from_numpy(np.stack(targets))


def normalise(pixels, scale=None, shift=None):
    """Pixels (N,32,32,3) of bytes to x (N,3,32,32) in channels_last."""
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    if scale is None:
        scale = torch.tensor([1 / (255 * s) for s in STD]).view(3, 1, 1)
        shift = torch.tensor([-m / s for m, s in zip(MEAN, STD)]).view(3, 1, 1)
    return x.mul_(scale).add_(shift)


def read(folder, pattern):
    """Pixels (N,32,32,3) and labels of the files of a binary version that match."""
    files = sorted(glob.glob(os.path.join(folder, pattern)))
    records = np.concatenate([np.fromfile(f, np.uint8).reshape(-1, 1 + 3 * SIDE * SIDE) for f in files])
    images = records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), records[:, 0].astype(np.int64)


def seed_worker(_):
    torch.set_num_threads(1)
    random.seed(torch.initial_seed())


def batches(training, batch, workers):
    """A pass over all images in a new order, without the last, smaller batch; torch's generator is the
    source of its randomness."""
    order = torch.randperm(len(training.pixels)).tolist()
    groups = [order[i:i + batch] for i in range(0, len(order) - batch + 1, batch)]
    if not workers:
        random.seed(torch.initial_seed() + order[0])
    return DataLoader(training, sampler=groups, batch_size=None, num_workers=workers, worker_init_fn=seed_worker)


def soft_cross_entropy(logits, targets):
    return -(targets * torch.log_softmax(logits, 1)).sum(1).mean()


class Average:
    """Exponential moving average of weights and running statistics; after n steps of training its decay is
    min(decay, (1+n)/(10+n)), so that a short training does not remember its start."""

    def __init__(self, net, decay):
        self.decay, self.updates = decay, 0
        self.state = {k: v.clone() for k, v in net.state_dict().items() if v.is_floating_point()}

    @torch.no_grad()
    def update(self, net):
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        now = net.state_dict()
        mine = list(self.state.values())
        torch._foreach_mul_(mine, decay)
        torch._foreach_add_(mine, [now[k] for k in self.state], alpha=1 - decay)
