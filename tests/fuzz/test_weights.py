"""Files of weights with something wrong in them are loaded, or refused in one line."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from random import Random

import torch
from mutations import broken, is_one_line
from safetensors.torch import save
from torch import Tensor

import netwright as nw
from netwright.core.net import Net
from netwright.errors import WeightsError

NET = Net(nw.Sequential(a=nw.Conv(4, 3), norm=nw.BatchNorm(), gap=nw.GlobalAvgPool(),
                        fc=nw.Linear(2)), (3, 8, 8), "net")  # fmt: skip
STATE = dict(NET.build(seed=0).state_dict())


TYPES = (torch.half, torch.double, torch.int8, torch.bool, torch.complex64, torch.bfloat16)
CHANGES: tuple[Callable[[Tensor, Random], object], ...] = (
    lambda value, random: value.to(random.choice(TYPES)),
    lambda value, random: value * random.choice([torch.nan, torch.inf, 0, 1e38]),
    lambda value, random: value.to_sparse(),
    lambda value, random: value.to("meta"),
    lambda value, random: value.reshape(-1)[: random.randrange(5)],
    lambda value, random: torch.tensor(0.0).expand([10**6] * random.randrange(4)),
    lambda value, random: value[None],
    lambda value, random: torch.nn.Parameter(value.float()),
    lambda value, random: random.choice([None, 3, "x", [value], {"x": value}, torch.Size([3])]),
    lambda value, random: torch.nested.nested_tensor([torch.rand(2), torch.rand(3)]),
    lambda value, random: value.t() if value.dim() == 2 else value,
    lambda value, random: value,
)
"""What may be wrong with a tensor."""


def checkpoint(random: Random) -> object:
    """A state_dict, changed in places, wrapped as trainers do, or in circles."""
    held: dict[object, object] = dict(STATE)
    for _ in range(random.choice([0, 1, 1, 3])):
        key = random.choice(list(STATE))
        held[key] = random.choice(CHANGES)(STATE[key], random)
    for _ in range(random.choice([0, 0, 0, 1, 3])):
        held[random.choice(["", "module.x", "x", 3, (1, 2), "fc.weight.x"])] = torch.rand(2)
    if random.random() < 0.2:
        del held[random.choice(list(held))]
    if random.random() < 0.3:
        held = {f"module.{key}": value for key, value in held.items()}
    for _ in range(random.choice([0, 0, 1, 5])):
        held = {random.choice(["model", "state_dict", "net", "epoch"]): held}
    if random.random() < 0.05:
        held["model"] = held
    return held


def test_weights(fuzz, tmp_path):
    loaded = list[str]()

    def case(random: Random) -> None:
        path = tmp_path / random.choice(["x.pth", "x.safetensors"])
        if path.suffix == ".pth":
            file = io.BytesIO()
            torch.save(checkpoint(random), file,
                       _use_new_zipfile_serialization=random.random() < 0.7)  # fmt: skip
            data = file.getvalue()
        else:
            data = save(STATE)
        if path.suffix != ".pth" or random.random() < 0.5:
            data = broken(data, random)
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = NET.build(weights=path, strict=random.random() < 0.8)
        except WeightsError as error:
            is_one_line(error)
            return
        loaded.append(path.name)
        state = model.state_dict()
        assert {key: value.shape for key, value in state.items()} == {
            key: value.shape for key, value in STATE.items()
        }

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of kinds of tensors that are going
        fuzz(200, case)
    assert loaded
