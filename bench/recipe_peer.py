#!/usr/bin/python3
"""A training step with a whole recipe and the networks for large images, in PyTorch on a CPU.

    recipe_peer.py recipe --layout channels_last --batch 96

prints one JSON object. Jobs, as recipe.sh has them: recipe is LaNet's step with all that lanet_recipe.py
and lanet_peer.py say, the preparation of its batch included; imagenet-step trains DARTS-V2's form for
ImageNet on images of 224x224, with its auxiliary head, and imagenet-eval is a forward pass of it with
running statistics. Parameters are with the auxiliary head where there is one, multiply-adds without.
Peak memory is that of this process, so each job wants its own.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "supernet", "testdata"))

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lanet_peer import Trainer
from lanet_recipe import Training, batches
from published import count, published, shape
from torchnet import Network

LAYOUTS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


def recipe(args):
    """LaNet: steps whose time has the wait for a batch in it, in the middle of a training."""
    r = np.random.default_rng(1)
    training = Training(r.integers(0, 256, (10000, 32, 32, 3), dtype=np.uint8), r.integers(0, 10, 10000))
    trainer = Trainer(args, 1000000)
    trainer.step = trainer.steps // 2
    trainer.net.train()

    def endless():
        while True:
            yield from batches(training, args.batch, args.workers)

    source = endless()
    return trainer.net, 32, lambda: trainer.train(*next(source))


def imagenet(args, training):
    arch = published("darts-v2")
    net = Network(shape(arch, args.cells, args.channels, 1000, 224, imagenet=True, aux=training), arch)
    net = net.to(memory_format=LAYOUTS[args.layout]).train(training)
    x = torch.randn(args.batch, 3, 224, 224).to(memory_format=LAYOUTS[args.layout])
    labels = torch.randint(1000, (args.batch,))
    if not training:
        def forward():
            with torch.no_grad():
                net(x)
        return net, 224, forward
    optimizer = torch.optim.SGD(net.parameters(), 0.025, 0.9, weight_decay=3e-4, foreach=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits, aux = net(x)
        loss = functional.cross_entropy(logits, labels) + 0.4 * functional.cross_entropy(aux, labels)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5)
        optimizer.step()
    return net, 224, step


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("job", choices=["recipe", "imagenet-step", "imagenet-eval"])
    p.add_argument("--layout", choices=list(LAYOUTS), default="channels_last")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--workers", type=int, default=1, help="processes that make batches, of recipe")
    p.add_argument("--reps", type=int, default=3)
    p.add_argument("--warm-up", type=int, default=2, help="steps before the clock starts")
    p.add_argument("--batch", type=int)
    p.add_argument("--cells", type=int)
    p.add_argument("--channels", type=int)
    args = p.parse_args()
    for name, of_recipe, of_imagenet in (("batch", 96, 32), ("cells", 20, 14), ("channels", 36, 48)):
        if getattr(args, name) is None:
            setattr(args, name, of_recipe if args.job == "recipe" else of_imagenet)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    net, image, run = recipe(args) if args.job == "recipe" else imagenet(args, args.job == "imagenet-step")
    took = []
    for i in range(args.warm_up + args.reps):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    took = took[args.warm_up:]
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    params, madds, head = count(net, image)
    median = statistics.median(took)
    print(json.dumps({
        "bench": args.job, "images_per_s_median": args.batch / median, "ms_per_step_median": 1e3 * median,
        "ms_per_step_best": 1e3 * min(took), "peak_rss_mb": rss, "madds_per_image": madds, "params": params + head,
        "batch": args.batch, "reps": args.reps, "layout": args.layout, "threads": args.threads, "torch": torch.__version__,
        "aten_cpu_capability": os.environ.get("ATEN_CPU_CAPABILITY", "auto"),
        "malloc": "tcmalloc" if "tcmalloc" in os.environ.get("LD_PRELOAD", "") else "libc",
    }))


if __name__ == "__main__":
    main()
