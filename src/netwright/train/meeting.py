"""How the processes of one attempt find each other, and none of an attempt before.

`torchrun` keeps one store for all its attempts (up to PyTorch 2.13 at least, unless
TORCH_DISABLE_SHARE_RDZV_TCP_STORE is 1), and process groups meet there under fixed keys. So after
a restart a process may read the address of a peer that was killed, and wait for it in vain, where
the new one is slow to write its own: the busier the machine, the likelier. The number of restarts
does not tell attempts apart either: each machine counts its own.
"""

from __future__ import annotations

from datetime import timedelta
from time import monotonic, sleep
from uuid import uuid4

from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

__all__ = ["meeting", "shared_word"]

PAUSE = 0.01
"""Seconds between looks at the store."""


def meeting(patience: timedelta) -> tuple[Store, int, int]:
    """A store for the processes of this attempt alone, the rank of this one, and their number."""
    store, rank, world = next(rendezvous("env://", timeout=patience))
    word = shared_word(store, rank, world, patience)
    return PrefixStore(f"netwright/{word}", store), rank, world


def shared_word(store: Store, rank: int, world: int, patience: timedelta) -> str:
    """A word that these processes share, whatever earlier ones have left in the store.

    Every process but the first asks under a name that nobody had before, and waits for the answer
    to that very name. The first answers whatever it finds, until all of its own time have thanked:
    what was asked by the dead is answered too, and nobody hears it.
    """
    if rank:
        name = uuid4().hex
        store.set(f"netwright/asks/{rank}", name)
        word = store.get(f"netwright/answer/{name}").decode()
        store.set(f"netwright/thanks/{word}/{rank}", "")
        return word
    word, until = uuid4().hex, monotonic() + patience.total_seconds()
    waiting = set(range(1, world))
    while waiting:
        for other in sorted(waiting):
            if store.check([f"netwright/asks/{other}"]):
                name = store.get(f"netwright/asks/{other}").decode()
                store.set(f"netwright/answer/{name}", word)
        waiting -= {r for r in waiting if store.check([f"netwright/thanks/{word}/{r}"])}
        if waiting and monotonic() > until:
            raise TimeoutError(f"process {min(waiting)} did not come")
        sleep(PAUSE)
    return word
