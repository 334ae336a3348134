"""Several processes that train one net: what `torchrun` starts, as one process would work alone.

Every process runs the same code on the same images and decides alike; each computes the
gradients of its slice of a batch, and they are averaged. Only the first writes files.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from netwright.errors import RunError
from netwright.train.batches import ALONE, Place
from netwright.train.meeting import meeting

__all__ = ["ELASTIC", "SyncedNorm", "agreed", "apart", "first_then_others", "here", "joined",
           "parallel", "processes", "restarted", "synced"]  # fmt: skip

ELASTIC = "TORCHELASTIC_RUN_ID"
"""Where torchrun says by which name its machines know each other."""
PATIENCE = timedelta(minutes=30)
"""So long processes wait for each other, the first while it looks at the images included."""

CONNECTION = "gloo/transport"
"""Named in what gloo says of a process that it reaches no more."""
_APART = ContextVar("apart", default=False)


@contextmanager
def processes() -> Generator[Place]:
    """Joins the processes that `torchrun` started, for as long as the block lasts; alone where
    it did not.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1 or distributed.is_initialized():
        yield here()
        return
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        store, rank, world = meeting(PATIENCE)
        distributed.init_process_group("nccl" if cuda else "gloo", store=store, rank=rank,
                                       world_size=world, timeout=PATIENCE)  # fmt: skip
    except (RuntimeError, ValueError, OSError) as error:
        raise RunError(f"{world} processes could not find each other: {error}; start them with "
                       "torchrun --nproc-per-node=N -m netwright fit ...") from None  # fmt: skip
    try:
        yield here()
    except RuntimeError as error:
        if not (isinstance(error, distributed.DistError) or CONNECTION in str(error)):
            raise
        raise RunError("another process ended, and this one with it; the other says why") from None
    finally:
        distributed.destroy_process_group()


@contextmanager
def apart() -> Generator[None]:
    """Within the block this process works as if it were the only one."""
    token = _APART.set(True)
    try:
        yield
    finally:
        _APART.reset(token)


def here() -> Place:
    """Which of the processes this is."""
    if not distributed.is_initialized() or _APART.get():
        return ALONE
    return Place(distributed.get_rank(), distributed.get_world_size())


def restarted(job: str) -> bool:
    """Whether `torchrun` has begun again after one of the processes ended, here or elsewhere.

    Machines count the restarts that they caused; where another one did, the `job` that the run was
    begun by is that of these processes.
    """
    count = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    own = os.environ.get(ELASTIC, "none")
    return count > 0 or (own != "none" and own == job)


def agreed(number: float) -> float:
    """The number that the first process has."""
    if here() == ALONE:
        return number
    value = torch.tensor(number, dtype=torch.float64, device=_device())
    distributed.broadcast(value, 0)
    return float(value)


def joined(numbers: Tensor) -> Tensor:
    """The sum over all processes."""
    if here() == ALONE:
        return numbers
    total = numbers.detach().clone()
    distributed.all_reduce(total)
    return total


@contextmanager
def first_then_others() -> Generator[None]:
    """The first process goes through the block before the others do: what it writes, they read."""
    place = here()
    if place.rank:
        distributed.barrier()
    try:
        yield
    finally:
        if place != ALONE and not place.rank:
            distributed.barrier()


def parallel(model: nn.Module) -> nn.Module:
    """What computes outputs, and averages gradients over the processes: the model itself where
    there is one only. Parts of it may be frozen.
    """
    if here() == ALONE:
        return model
    return DistributedDataParallel(_Spare(model), find_unused_parameters=True)


class _Spare(nn.Module):
    """The model beside a parameter that nothing uses.

    What is frozen changes while a model learns, so unused parameters have to be looked for at
    every step; PyTorch warns in every process where there are none. Not to look, where nothing is
    frozen, would also sum gradients in another order after a break.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.unused = nn.Parameter(torch.zeros(1, device=next(model.parameters()).device))

    def forward(self, images: Tensor) -> Any:
        return self.model(images)


def synced(model: nn.Module) -> nn.Module:
    """The model with batch norms that see the whole batch of all processes; state_dict keys
    stay. The same model where there is one process only.
    """
    if here() == ALONE:
        return model
    for name, module in list(model.named_modules()):
        if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
            twin = SyncedNorm.of(module)  # type: ignore[arg-type]
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, twin)
    return model


class _Summed(torch.autograd.Function):
    """The sum over all processes; its gradient is that of what each of them makes of it."""

    @staticmethod
    def forward(_: Any, numbers: Tensor) -> Tensor:  # type: ignore[override]
        return joined(numbers)

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:  # type: ignore[override]
        return joined(gradients[0])


class SyncedNorm(nn.modules.batchnorm._BatchNorm):  # noqa: SLF001
    """Batch normalisation by the moments over all processes, on any device; PyTorch's own
    `SyncBatchNorm` needs a GPU.
    """

    @classmethod
    def of(cls, module: nn.modules.batchnorm._BatchNorm) -> SyncedNorm:
        """The same norm, its parameters and buffers shared."""
        twin = cls(module.num_features, module.eps, module.momentum, module.affine,
                   module.track_running_stats)  # fmt: skip
        vars(twin)["_parameters"] = module._parameters  # noqa: SLF001
        vars(twin)["_buffers"] = module._buffers  # noqa: SLF001
        return twin.train(module.training)

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or here() == ALONE:
            return super().forward(input)
        x = input.float()
        axes = [0, *range(2, x.ndim)]
        # Sums in double precision: what is left of the variance is a difference of large numbers.
        wide = torch.float64
        count = torch.full((1,), x.numel() // x.shape[1], dtype=wide, device=x.device)
        sums = torch.cat([count, x.sum(axes, dtype=wide), (x * x).sum(axes, dtype=wide)])
        sums = _Summed.apply(sums)
        total = sums[0]
        mean, square = (sums[1:] / total).chunk(2)
        mean, variance = mean.float(), (square - mean * mean).clamp(min=0).float()
        with torch.no_grad():
            self._remember(mean, variance * float(total / (total - 1).clamp(min=1)))
        shape = (1, -1, *[1] * (x.ndim - 2))
        weight = self.weight if self.affine else torch.ones_like(mean)
        scale = weight * torch.rsqrt(variance + self.eps)
        shift = -mean * scale + (self.bias if self.affine else 0.0)
        return (x * scale.view(shape) + shift.view(shape)).to(input.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if not self.track_running_stats or self.running_mean is None:
            return
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
