class StandardConv(nn.Conv2d):
    """A convolution whose weights are standardised for each output channel (arXiv 1903.10520)."""

    def forward(self, x):
        deviation, mean = torch.std_mean(self.weight, dim=(1, 2, 3), keepdim=True)
        return self._conv_forward(x, (self.weight - mean) / (deviation + 1e-5), None)


def conv(ci, co, kernel, stride=1, padding=0, dilation=1, groups=1, standard=False):
    kind = StandardConv if standard else nn.Conv2d
    return kind(ci, co, kernel, stride, padding, dilation, groups, bias=False)


def activate(x, relu):
    return functional.relu(x) if relu else x


class Stem(nn.Module):
    """3x3 convolution, batch normalisation."""

    def __init__(self, ci, co, affine=True):
        super().__init__()
        self.conv = conv(ci, co, 3, padding=1)
        self.bn = nn.BatchNorm2d(co, affine=affine)

    def forward(self, x):
        return self.bn(self.conv(x))


class ConvBN(nn.Module):
    """ReLU, convolution, batch normalisation; several inputs lie side by side."""

    def __init__(self, ci, co, kernel=(1, 1), stride=(1, 1), relu=True, norm=True, affine=True, standard=False, suffix="", cover=False):
        super().__init__()
        self.relu, self.suffix = relu, suffix
        padding = (0, 0) if cover else (kernel[0] // 2, kernel[1] // 2)
        self.add_module("conv" + suffix, conv(ci, co, kernel, stride, padding, standard=standard))
        if norm:
            self.add_module("bn" + suffix, nn.BatchNorm2d(co, affine=affine))

    def forward(self, *inputs):
        x = getattr(self, "conv" + self.suffix)(activate(torch.cat(inputs, 1), self.relu))
        bn = getattr(self, "bn" + self.suffix, None)
        return bn(x) if bn is not None else x


class Depthwise(nn.Module):
    """ReLU, depthwise convolution, batch normalisation."""

    def __init__(self, c, kernel, stride=1, relu=True, affine=True, suffix=""):
        super().__init__()
        self.relu, self.suffix = relu, suffix
        self.add_module("conv" + suffix, conv(c, c, kernel, stride, kernel // 2, groups=c))
        self.add_module("bn" + suffix, nn.BatchNorm2d(c, affine=affine))

    def forward(self, x):
        x = getattr(self, "conv" + self.suffix)(activate(x, self.relu))
        return getattr(self, "bn" + self.suffix)(x)


class Activation(nn.Module):
    """ReLU, batch normalisation."""

    def __init__(self, c, relu=True, norm=True, affine=True, suffix=""):
        super().__init__()
        self.relu, self.suffix = relu, suffix
        if norm:
            self.add_module("bn" + suffix, nn.BatchNorm2d(c, affine=affine))

    def forward(self, x):
        bn = getattr(self, "bn" + self.suffix, None)
        return bn(activate(x, self.relu)) if bn is not None else activate(x, self.relu)


class FactorizedReduce(nn.Module):
    """ReLU, two 1x1 convolutions of stride 2, the second one pixel further, side by side; batch normalisation."""

    def __init__(self, ci, co, affine=True):
        super().__init__()
        self.conv1 = conv(ci, co // 2, 1, stride=2)
        self.conv2 = conv(ci, co // 2, 1, stride=2)
        self.bn = nn.BatchNorm2d(co, affine=affine)

    def forward(self, *inputs):
        x = functional.relu(torch.cat(inputs, 1))
        return self.bn(torch.cat([self.conv1(x), self.conv2(x[:, :, 1:, 1:])], 1))


class Separable(nn.Module):
    """Stages of ReLU, depthwise convolution, 1x1 convolution, batch normalisation."""

    def __init__(self, c, kernel, stride=1, dilation=1, stages=2, affine=True, standard=False):
        super().__init__()
        self.stages = stages
        for s in range(1, stages + 1):
            padding = dilation * (kernel // 2)
            self.add_module(f"dw{s}", conv(c, c, kernel, stride if s == 1 else 1, padding, dilation, groups=c))
            self.add_module(f"pw{s}", conv(c, c, 1, standard=standard))
            self.add_module(f"bn{s}", nn.BatchNorm2d(c, affine=affine))

    def forward(self, x):
        for s in range(1, self.stages + 1):
            dw, pw, bn = (getattr(self, f"{name}{s}") for name in ("dw", "pw", "bn"))
            x = bn(pw(dw(functional.relu(x))))
        return x


class Pool(nn.Module):
    """3x3 pooling, batch normalisation. An average is that of the pixels inside the image."""

    def __init__(self, c, kind, stride=1, norm=True, affine=True):
        super().__init__()
        self.kind, self.stride = kind, stride
        if norm:
            self.bn = nn.BatchNorm2d(c, affine=affine)

    def forward(self, x):
        if self.kind == "max":
            x = functional.max_pool2d(x, 3, self.stride, 1)
        else:
            x = functional.avg_pool2d(x, 3, self.stride, 1, count_include_pad=False)
        return self.bn(x) if hasattr(self, "bn") else x


class AvgPool(nn.Module):
    """ReLU, average pooling without padding; several inputs lie side by side."""

    def __init__(self, kernel, stride, relu=False):
        super().__init__()
        self.kernel, self.stride, self.relu = kernel, stride, relu

    def forward(self, *inputs):
        return functional.avg_pool2d(activate(torch.cat(inputs, 1), self.relu), self.kernel, self.stride)


class Sum(nn.Module):
    """The results of a node, or of a block and what it reads."""

    def forward(self, *terms):
        return sum(terms[1:], terms[0])


class GlobalAvgPool(nn.Module):
    """The mean of each channel; several inputs lie side by side."""

    def forward(self, *inputs):
        return torch.cat(inputs, 1).mean((2, 3))


class Classifier(nn.Linear):
    """Fully connected, of one pixel."""

    def __init__(self, features, classes, relu=False):
        super().__init__(features, classes)
        self.relu = relu

    def forward(self, x):
        return super().forward(activate(x.flatten(1), self.relu))
