"""The controller's network; imports torch."""

from __future__ import annotations

import random as rng
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from netwright.space.search_space import Space

__all__ = ["Policy"]


class Policy:
    """An LSTM over the choices of a code: each gets an embedding of the one before.

    sizes: how many options each choice has
    hidden: units
    rate: learning rate
    """

    def __init__(self, sizes: tuple[int, ...], hidden: int, rate: float) -> None:
        import torch
        from torch import nn

        self.sizes = sizes
        make = torch.Generator().manual_seed(0)
        self.embed = nn.Embedding(1 + sum(sizes), hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.heads = nn.ModuleList([nn.Linear(hidden, size) for size in sizes])
        parts = (self.embed, self.lstm, self.heads)
        self.weights = [parameter for part in parts for parameter in part.parameters()]
        for parameter in self.weights:  # as in the papers: all probabilities nearly even
            nn.init.uniform_(parameter, -0.1, 0.1, generator=make)
        self.adam = torch.optim.Adam(self.weights, rate)
        self.baseline: float | None = None
        self.spread = 0.0
        starts = [1 + sum(sizes[:i]) for i in range(len(sizes))]
        self._starts = torch.tensor(starts)

    def state(self) -> dict[str, Any]:
        """Its numbers, to go back to."""
        return {"weights": self.weights, "adam": self.adam.state_dict(), "baseline": self.baseline,
                "spread": self.spread}  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to a state."""
        for own, other in zip(self.weights, state["weights"], strict=True):
            own.data.copy_(other)
        self.adam.load_state_dict(state["adam"])
        self.baseline, self.spread = state["baseline"], state["spread"]

    def _logits(self, choices: Tensor) -> list[Tensor]:
        """Log-probabilities of the options of every choice, given those before it."""
        import torch

        before = torch.zeros_like(choices)
        before[:, 1:] = (choices + self._starts)[:, :-1]
        states, _ = self.lstm(self.embed(before))
        return [head(states[:, i]).log_softmax(1) for i, head in enumerate(self.heads)]

    def draw(self, random: rng.Random) -> tuple[int, ...]:
        """Choices, each with the probability the controller gives it."""
        import torch

        choices, last, state = list[int](), 0, None
        with torch.no_grad():
            for size, start, head in zip(
                self.sizes, self._starts.tolist(), self.heads, strict=True
            ):
                out, state = self.lstm(self.embed(torch.tensor([[last]])), state)
                weights = head(out[0, 0]).softmax(0).tolist()
                choices.append(random.choices(range(size), weights)[0])
                last = start + choices[-1]
        return tuple(choices)

    def code(self, space: Space, random: rng.Random) -> str:
        """A code of the space that fits: of a hundred draws the first that does, else one at
        random.
        """
        for _ in range(100):
            code = space.write(space.arranged(self.draw(random)))
            if space.fits(code):
                return code
        return space.sample(random)

    def learn(
        self,
        batch: Sequence[tuple[tuple[int, ...], float]],
        epochs: int,
        clip: float,
        entropy: float,
        decay: float,
    ) -> None:
        """Steps that make choices of scores above the moving mean likelier."""
        import torch

        scores = torch.tensor([score for _, score in batch])
        mean = float(scores.mean())
        self.baseline = mean if self.baseline is None else self.baseline
        away = float((scores - self.baseline).abs().mean())
        self.spread = decay * self.spread + (1 - decay) * away if self.spread else away
        gain = ((scores - self.baseline) / (self.spread + 1e-12)).clamp(-3, 3)
        self.baseline = decay * self.baseline + (1 - decay) * mean
        choices = torch.tensor([own for own, _ in batch])
        old = None
        for _ in range(epochs):
            logits = self._logits(choices)
            taken = [log.gather(1, choices[:, i : i + 1]) for i, log in enumerate(logits)]
            now = torch.cat(taken, 1).sum(1)
            old = now.detach() if old is None else old
            ratio = (now - old).exp()
            moved = ratio * gain
            if clip:
                moved = torch.minimum(moved, ratio.clamp(1 - clip, 1 + clip) * gain)
            doubt = -sum([(log.exp() * log).sum(1).mean() for log in logits])
            self.adam.zero_grad()
            (-moved.mean() - entropy * doubt).backward()
            torch.nn.utils.clip_grad_norm_(self.weights, 5.0)
            self.adam.step()
