"""Channel boosting (Khan et al. 2018, arXiv:1804.08528) on scikit-learn's handwritten digits.

    python examples/channel_boosting.py

An autoencoder learns to give images back; its last hidden maps then stand beside the image as
channels of a classifier, their weights frozen.
"""

from __future__ import annotations

import sys

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

import netwright as nw

AUXILIARY = "boost.auxiliary.body"


def digits(count: int) -> tuple[Tensor, Tensor]:
    """So many digits as (N, 1, 32, 32) with values in 0 to 1, and their labels."""
    images, labels = load_digits(return_X_y=True)
    maps = torch.tensor(images[:count] / 16, dtype=torch.float32).view(-1, 1, 8, 8)
    return F.interpolate(maps, scale_factor=4, mode="bilinear"), torch.tensor(labels[:count])


def train(model: nn.Module, images: Tensor, targets: Tensor, steps: int, loss) -> list[float]:
    """The losses of so many steps of Adam on batches drawn at random."""
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(steps):
        batch = torch.randint(len(images), (64,))
        value = loss(model.train()(images[batch]), targets[batch])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.item())
    return losses


def boosted(net: nw.Net, images: Tensor, steps: int) -> tuple[nn.Module, list[float]]:
    """The net with an auxiliary learner that has learnt to reconstruct, and its losses."""
    features = net.spec
    for name in AUXILIARY.split("."):
        features = features[name]
    channels = images.shape[1]
    whole = nw.Net(nw.Sequential(features=features, image=nw.Conv(channels, 1)), net.input)
    autoencoder = whole.build()
    losses = train(autoencoder, images, images, steps, F.mse_loss)
    model = net.build()
    model.get_submodule(AUXILIARY).load_state_dict(autoencoder.features.state_dict())
    return model, losses


def main(count: int = 1500, steps: int = 150) -> None:
    torch.manual_seed(0)
    images, labels = digits(count)
    split = count * 4 // 5
    net = nw.net("channel_boosted_cnn", width=16, extra=4, input=(1, 32, 32))
    model, losses = boosted(net, images[:split], steps)
    print(f"reconstruction: squared error {losses[0]:.3f} -> {losses[-1]:.3f}")
    frozen = [p.clone() for p in model.get_submodule(AUXILIARY).parameters()]
    losses = train(model, images[:split], labels[:split], steps, F.cross_entropy)
    kept = all(map(torch.equal, frozen, model.get_submodule(AUXILIARY).parameters()))
    print(f"classification: cross-entropy {losses[0]:.3f} -> {losses[-1]:.3f}")
    print(f"weights of the auxiliary learner unchanged: {kept}")
    with torch.no_grad():
        right = model.eval()(images[split:]).argmax(1) == labels[split:]
    print(f"accuracy on {len(right)} other digits: {right.float().mean():.1%}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
