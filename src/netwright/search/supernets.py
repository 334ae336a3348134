"""Strategies that train a supernet on the images first, and then try what it ranks best."""

from __future__ import annotations

import math
import random as rng
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from netwright.errors import SearchError
from netwright.report.numbers import counted, duration
from netwright.search.strategy import Learnt, Proposal, Strategy, drawn, name_of, named, taken
from netwright.search.trial import Trial
from netwright.space.cells import CellSpace
from netwright.space.search_space import Space

if TYPE_CHECKING:
    from netwright.search.engine.accuracy import Accuracy
    from netwright.search.shared.images import Shared

__all__ = ["Darts", "Enas", "OneShot", "Ranked", "SharedWeights"]


@dataclass(frozen=True)
class Ranked(Strategy):
    """The nets of a ranking in order, those that keep to the budget; then nets at random.

    ranking: codes and what was thought of them, the best first
    of: what thought so, as notes are to say
    """

    ranking: tuple[tuple[str, float], ...]
    of: str = ""

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        asked = taken(trials)
        for rank, (code, score) in enumerate(self.ranking):
            if space.canonical(code) not in asked and space.fits(code):
                note = {"rank": rank, "shared": score, "of": self.of}
                return Proposal(space.preferred(code), note=note)
        return drawn(space, trials, random)


@dataclass(frozen=True)
class SharedWeights(Strategy):
    """A supernet, all of whose nets share their weights, learns from the images that nets are
    trained on, one half for weights and one for what is chosen; the nets it ranks best are the
    trials, each trained from nothing like any other.

    Its space is one of cells, its evaluator `Accuracy`. The supernet is as deep and wide as the
    nets of the space.

    epochs: of the supernet, fewer where they would take longer than its share of the time
    share: of the search's time that the supernet may take
    candidates: nets that are ranked
    """

    epochs: int = 50
    share: float = 0.5
    candidates: int = 100

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.candidates < 1 or not 0 < self.share < 1:
            raise SearchError(f"{self}: wanted epochs and candidates of at least 1, and a share "
                              "above 0 and below 1")  # fmt: skip

    def trained(self, space: Space, *images: Any, **given: Any) -> Shared:
        """What a search with shared weights comes to, by these settings."""
        raise NotImplementedError

    def check(self, space: Space, evaluator: object) -> None:
        who = name_of(self)
        if not isinstance(space, CellSpace):
            raise SearchError(f"{who} shares weights in spaces of cells, got {space.name}; take "
                              "one such as darts, enas or pnas, or another strategy")  # fmt: skip
        if not callable(getattr(evaluator, "images", None)):
            raise SearchError(f"{who} trains a supernet on labelled images, got an evaluator "
                              "without any; give it a folder of images or nw.search.Accuracy, or "
                              "take another strategy")  # fmt: skip
        code = space.sample(rng.Random(0))  # noqa: S311 no secret
        cast("Accuracy", evaluator).approach(space.net(code))  # whose images are the nets' input

    def prepare(
        self,
        space: Space,
        evaluator: object,
        *,
        seed: int = 0,
        seconds: float = math.inf,
        before: Learnt | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> Learnt:
        import torch

        from netwright.search.shared.images import RECIPE, halves
        from netwright.train.fitting import deterministic
        from netwright.train.recipe import read

        of = repr((self, seed))
        if before and before.get("of") == of:
            return before
        own, began = cast("Accuracy", evaluator), monotonic()
        images = halves(own.images("train"), seed=seed)
        recipe = RECIPE.but(operations=read(own.recipe).operations).suited(len(images[0]))
        file = _checkpoint(own.folder, of)
        tell(f"a supernet of {space.name} learns from {len(images[0])} images, and chooses by "
             f"{len(images[1])}")  # fmt: skip
        with torch.random.fork_rng(), deterministic():
            result = self.trained(space, *images, epochs=self.epochs, recipe=recipe, seed=seed,
                                  candidates=self.candidates, seconds=self.share * seconds,
                                  progress=lambda row: tell(_line(row)),
                                  checkpoint=file)  # fmt: skip
        if file is not None:
            file.unlink(missing_ok=True)
        took = monotonic() - began
        nets = counted(len(result.shared), "net")
        tell(f"it ranks {nets} after {result.stopped}, {duration(took)}")
        return {"of": of, "ranking": [*result.shared.items()], "history": result.history,
                "stopped": result.stopped, "seconds": took}  # fmt: skip

    def prepared(self, learnt: Learnt) -> Strategy:
        if "ranking" not in learnt:
            return self
        return Ranked(tuple([(code, score) for code, score in learnt["ranking"]]), learnt["of"])

    def ask(self, space: Space, trials: Sequence[Trial], random: rng.Random) -> Proposal:
        raise SearchError(f"the supernet of {name_of(self)} is not trained yet; `netwright "
                          "search` and nw.search do so first, others join then")  # fmt: skip


def _checkpoint(folder: str, of: str) -> Path | None:
    """The file of a supernet that depends on `of`, where trials have theirs."""
    if not folder:
        return None
    return Path(folder, f"supernet-{sha256(of.encode()).hexdigest()[:12]}.safetensors")


def _line(row: dict[str, Any]) -> str:
    score = f"  {100 * row['val_accuracy']:.2f}%" if "val_accuracy" in row else ""
    return f"supernet  epoch {row['epoch']}  loss {row['train_loss']:.3f}{score}"


@named("darts")
@named("darts-second-order", second=True)
@dataclass(frozen=True)
class Darts(SharedWeights):
    """Edges of the supernet's cells are mixtures whose shares learn by gradient; ranked are the
    strongest cells and those next to them (Liu et al. 2018, arXiv:1806.09055).

    second: whether the shares learn for weights after their next step
    skips: of the normal cell, more of which end the training; None for any
    """

    second: bool = False
    skips: int | None = 2

    def check(self, space: Space, evaluator: object) -> None:
        if isinstance(space, CellSpace) and not space.apart:
            raise SearchError(f"{name_of(self)} searches cells whose nodes read two different "
                              f"states, got {space.name}; take the space darts, or "
                              "one-shot")  # fmt: skip
        super().check(space, evaluator)

    def trained(self, space: Space, *images: Any, **given: Any) -> Shared:
        from netwright.search.shared.differentiable import darts

        return darts(space, *images, second=self.second, skips=self.skips, **given)


@named("enas", epochs=150)
@dataclass(frozen=True)
class Enas(SharedWeights):
    """An LSTM learns from the accuracy of its nets at shared weights; ranked is what it draws in
    the end (Pham et al. 2018, arXiv:1802.03268).

    asks: nets that the LSTM learns from between two epochs
    """

    asks: int = 300

    def trained(self, space: Space, *images: Any, **given: Any) -> Shared:
        from netwright.search.shared.single_path import enas

        return enas(space, *images, asks=self.asks, **given)


@named("one-shot")
@dataclass(frozen=True)
class OneShot(SharedWeights):
    """Every batch trains a net of the supernet at random; ranked are nets at random by their
    accuracy at its weights (Bender et al. 2018; Guo et al. 2019, arXiv:1904.00420).
    """

    def trained(self, space: Space, *images: Any, **given: Any) -> Shared:
        from netwright.search.shared.single_path import one_shot

        return one_shot(space, *images, **given)
