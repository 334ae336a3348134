"""Images that searches learn from, and commands."""

from __future__ import annotations

import numpy as np
import pytest

from netwright.cli import main


@pytest.fixture(scope="session")
def squares(tmp_path_factory):
    """Two classes, bright above or below: 120 images of 8 pixels."""
    random = np.random.default_rng(0)
    labels = np.arange(120) % 2
    images = random.integers(0, 100, (120, 8, 8), dtype=np.uint8)
    images[labels == 0, :4] += 120
    images[labels == 1, 4:] += 120
    file = tmp_path_factory.mktemp("data") / "halves.npz"
    np.savez(file, images=images, labels=labels)
    return str(file)


@pytest.fixture
def run(capsys):
    """Exit code, output and errors of a command."""

    def call(*words):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        return (stop.value.code or 0, *capsys.readouterr())

    return call
