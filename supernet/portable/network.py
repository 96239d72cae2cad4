class Network(nn.Module):
    """Reads images (N,3,SIDE,SIDE), normalised by MEAN and STD, and returns logits (N,len(CLASSES))."""

    def __init__(self):
        super().__init__()
        self.steps = []  # operations with what they read; their modules are registered under their names
        for name, operation, inputs in layers():
            self.steps.append((operation, inputs))
            if not name:
                continue
            parts = name.split(".")
            parent = self
            for part in parts[:-1]:
                parent = child(parent, part)
            if isinstance(operation, nn.Linear):
                parent.add_module(parts[-1], operation)
                continue
            owner = child(parent, parts[-1])
            for module, value in operation.named_children():
                owner.add_module(module, value)

    def forward(self, images):
        values = []
        for operation, inputs in self.steps:
            values.append(operation(*(images if i is IMAGES else values[i] for i in inputs)))
        return values[-1]


def child(parent, name):
    """The module of that name, which is made if there is none."""
    if not hasattr(parent, name):
        parent.add_module(name, nn.Module())
    return getattr(parent, name)


def normalise(pixels):
    """Pixels (N,3,H,W) of 0 to 255, red first, as the network reads them."""
    mean = torch.tensor(MEAN, device=pixels.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=pixels.device).view(1, 3, 1, 1)
    return (pixels.float() / 255 - mean) / std


TYPES = {"F32": (torch.float32, 4), "I64": (torch.int64, 8)}


def read_safetensors(path):
    """The tensors of a safetensors file, by name (a header of JSON behind its length, then the values)."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    tensors = {}
    for name, about in header.items():
        if name != "__metadata__":
            start, end = about["data_offsets"]
            kind, size = TYPES[about["dtype"]]
            flat = torch.frombuffer(data, dtype=kind, count=(end - start) // size, offset=start)
            tensors[name] = flat.reshape(about["shape"]).clone()
    return tensors


def load(path="model.safetensors"):
    """The network with the weights of a file, ready to classify; .train() makes it ready to train."""
    network = Network()
    network.load_state_dict(read_safetensors(path))
    return network.eval()


if __name__ == "__main__":
    network = load(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.safetensors"))
    print(sum(p.numel() for p in network.parameters()), "parameters,", len(CLASSES), "classes")
