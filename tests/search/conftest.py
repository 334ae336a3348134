"""Images that searches learn from."""

from __future__ import annotations

import numpy as np
import pytest


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
