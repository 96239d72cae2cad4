#!/usr/bin/python3
"""What PyTorch makes of the same photographs with the same network and recipe as a run of oneshot.

    oneshot run --preset folder-small --data-dir DATA_DIR --out RUN
    folder_peer.py RUN DATA_DIR --threads 2

reads RUN/config.yaml (its retrain section is the recipe) and RUN/export/model.safetensors (its metadata
is the network and the split), and prints two JSON objects: the exported weights on the test images, in
PyTorch; then, after training the same network from its own random start on the same training images,
the figures of that. Images are decoded by Pillow and changed by torchvision. --arch trains another
architecture, --steps makes a short try, --seed draws another start and order.

The differences: the random numbers, and what cmd/oneshot/testdata/folder_eval.py says about pixels.
ms_per_step is from step to step, with the wait for a batch; ms_wait is that wait.
"""
import argparse
import contextlib
import json
import math
import os
import statistics
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmd", "oneshot", "testdata"))

import torch
import yaml
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms

from folder_eval import Folder, Images, classify, evaluation, read_network, score
from parity import parse_arch
from torchnet import Network

# What a recipe may ask for that is not done here, and the value that asks for nothing.
LEFT_OUT = {"optimizer": "sgd", "micro_batch": 0, "aux": 0, "drop_path": 0, "ema": 0, "policy": "none", "cutout": 0}


def read_config(path):
    """A run's config.yaml. Numbers like 1e-05 are text to PyYAML, which wants 1.0e-05."""
    with open(path) as f:
        config = yaml.safe_load(f)
    for key, value in config["retrain"].items():
        with contextlib.suppress(TypeError, ValueError):
            config["retrain"][key] = float(value) if isinstance(value, str) else value
    return config


def augmentation(recipe, about):
    """oneshot's changes to a training image, in its order. Without a resized crop they start from what
    an evaluation sees."""
    side, jitter = about["image"], recipe["color_jitter"]
    *view, to_tensor, normalize = evaluation(about).transforms
    if recipe["resized_crop"]:
        view = [transforms.RandomResizedCrop(side, scale=(recipe["resized_crop"], 1))]
    steps = view
    if recipe["crop"]:
        steps.append(transforms.RandomCrop(side, padding=recipe["crop"]))
    if recipe["flip"]:
        steps.append(transforms.RandomHorizontalFlip())
    if jitter or recipe["hue"]:
        steps.append(transforms.ColorJitter(jitter, jitter, jitter, recipe["hue"]))
    steps += [to_tensor, normalize]
    if recipe["erase"]:
        steps.append(transforms.RandomErasing(recipe["erase"]))
    return transforms.Compose(steps)


def rate(recipe, steps, step):
    """The learning rate of a step, from 0: linear warm-up, then half a cosine that ends at min_lr."""
    warm, high, low = recipe["warmup_steps"], recipe["lr"], recipe["min_lr"]
    if step < warm:
        return high * (step + 1) / warm
    return low + (high - low) * (1 + math.cos(math.pi * (step - warm) / max(1, steps - 1 - warm))) / 2


def optimizer(net, recipe):
    """SGD, whose weight decay is of convolutions and the classifier, or of all parameters."""
    norms = [p for p in net.parameters() if p.dim() < 2]
    others = [p for p in net.parameters() if p.dim() >= 2]
    decay = recipe["weight_decay"]
    return torch.optim.SGD([{"params": others, "weight_decay": decay},
                            {"params": norms, "weight_decay": decay if recipe["decay_norms"] else 0}],
                           recipe["lr"], recipe["momentum"], nesterov=recipe["nesterov"])


def endless(loader):
    while True:
        yield from loader


def train(net, recipe, samples, about, steps, workers):
    """Trains net, and returns the last loss and the times of steps and of waits for batches, in seconds."""
    loader = DataLoader(Images(samples, augmentation(recipe, about)), recipe["batch"], shuffle=True, drop_last=True,
                        num_workers=workers, persistent_workers=workers > 0)
    loss_of, opt = nn.CrossEntropyLoss(label_smoothing=recipe["smoothing"]), optimizer(net, recipe)
    batches, took, waits = endless(loader), [], []
    net.train()
    for step in range(steps):
        start = time.perf_counter()
        x, y = next(batches)
        waits.append(time.perf_counter() - start)
        for group in opt.param_groups:
            group["lr"] = rate(recipe, steps, step)
        opt.zero_grad(set_to_none=True)
        loss = loss_of(net(x.to(memory_format=torch.channels_last))[0], y)
        loss.backward()
        if recipe["clip"]:
            nn.utils.clip_grad_norm_(net.parameters(), recipe["clip"])
        opt.step()
        took.append(time.perf_counter() - start)
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}/{steps}  loss {loss.item():.4f}  {1e3 * statistics.mean(took[-100:]):.0f} ms/step",
                  file=sys.stderr)
    return loss.item(), took, waits


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("run")
    p.add_argument("data_dir")
    p.add_argument("--threads", type=int, default=2, help="of PyTorch")
    p.add_argument("--workers", type=int, help="processes that make batches; default run.workers of the run")
    p.add_argument("--steps", type=int, help="default those of the run")
    p.add_argument("--seed", type=int, help="default that of the run")
    p.add_argument("--arch", help="architecture to train, as text; default that of the run")
    args = p.parse_args()
    config = read_config(os.path.join(args.run, "config.yaml"))
    recipe = config["retrain"]
    for name, nothing in LEFT_OUT.items():
        if recipe[name] != nothing:
            sys.exit(f"folder_peer: the run has retrain.{name}={recipe[name]}, which is not done here")
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(config["seed"] if args.seed is None else args.seed)

    exported, about = read_network(os.path.join(args.run, "export", "model.safetensors"))
    folder = Folder(args.data_dir, about)
    test = Images(folder.test, evaluation(about))
    print(json.dumps({"weights": "exported by oneshot", **score(*classify(exported, test)[:2])}), flush=True)

    arch = parse_arch(args.arch or about["arch"])
    shape = {**about, **arch["space"], "classes": len(about["classes"])}
    net = Network(shape, arch).to(memory_format=torch.channels_last)  # the fastest layout, see cpu.md
    samples = folder.train + (folder.search if recipe["all_images"] else [])
    workers = config["run"]["workers"] if args.workers is None else args.workers
    steps = args.steps or recipe["steps"] or recipe["epochs"] * (len(samples) // recipe["batch"])
    loss, took, waits = train(net, recipe, samples, about, steps, workers)
    settled = slice(min(2, steps - 1), None)  # the first steps allocate
    print(json.dumps({
        "weights": "trained by PyTorch", **score(*classify(net.eval(), test)[:2]),
        "train_images": len(samples), "steps": steps, "train_loss": loss, "params": sum(q.numel() for q in net.parameters()),
        "ms_per_step": 1e3 * statistics.mean(took[settled]), "ms_per_step_median": 1e3 * statistics.median(took[settled]),
        "ms_wait": 1e3 * statistics.mean(waits[settled]), "seconds": sum(took),
        "threads": args.threads, "workers": workers, "torch": torch.__version__,
    }), flush=True)


if __name__ == "__main__":
    main()
