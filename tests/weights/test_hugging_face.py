"""The real huggingface_hub, against a server that speaks as much of its protocol as it asks for."""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import save

import netwright as nw
from netwright.weights.preprocess import of_table
from peers import peer

NAME = "timm/mobilenetv2_100.ra_in1k"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG = {
    "architecture": "mobilenetv2_100",
    "pretrained_cfg": {
        "input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.875,
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    },
}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Serves `server.files` under /NAME/resolve/main/, their SHA-256 as ETag."""

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self.wfile.write(self._answer())

    def _answer(self) -> bytes:
        self.server.asked.append((self.command, self.path))
        content = self.server.files.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Error-Code", "" if content else "EntryNotFound")
        self.send_header("ETag", f'"{sha256(content or b"").hexdigest()}"')
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        return content or b""

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """(the library, told where the hub is before it is imported; the server; a peer's weights)."""
    pytest.importorskip("huggingface_hub")
    state = peer("timm", "mobilenetv2_100").state_dict()
    for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
        monkeypatch.delitem(sys.modules, name)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.files = [], {
            f"/{NAME}/resolve/main/config.json": json.dumps(CONFIG).encode(),
            f"/{NAME}/resolve/main/model.safetensors": save(state),
        }  # fmt: skip
        told = {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path),
            "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }  # fmt: skip
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield importlib.import_module("huggingface_hub"), server, state
        server.shutdown()
        thread.join()
    for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
        del sys.modules[name]


def test_weights_are_downloaded_once_checked_and_there_offline(hub, tmp_path, monkeypatch):
    library, server, state = hub
    net = nw.net("mobilenet_v2")
    model = net.build(weights=NAME)
    assert torch.equal(model.state_dict()["head.fc.weight"], state["classifier.weight"])
    assert model.weights.source == NAME
    assert model.weights.preprocess == of_table(
        {"size": "224", "resize": "256", "interpolation": "bicubic", "inputs": "imagenet"}
    )
    downloads = [path for method, path in server.asked if method == "GET"]
    assert sorted(downloads) == sorted(server.files)

    net.build(weights=NAME)
    assert [path for method, path in server.asked if method == "GET"] == downloads

    asked = len(server.asked)
    monkeypatch.setattr(library.constants, "HF_HUB_OFFLINE", True)
    again = net.build(weights=NAME)
    assert torch.equal(again.state_dict()["head.fc.weight"], state["classifier.weight"])
    with pytest.raises(nw.WeightsError, match=r"cannot get \S+resnet18\S+: .*; try again,"):
        nw.net("resnet18").build(weights="timm/resnet18.a1_in1k")
    assert len(server.asked) == asked

    monkeypatch.setattr(library.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(library.constants, "ENDPOINT", "http://127.0.0.1:9")
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    again = net.build(weights=NAME)
    assert torch.equal(again.state_dict()["head.fc.weight"], state["classifier.weight"])
    with pytest.raises(
        nw.WeightsError, match=r"cannot get \S+resnet18\S+: .* refused.*; try again,"
    ):
        nw.net("resnet18").build(weights="timm/resnet18.a1_in1k")
    assert sum(pauses) < 5  # the library alone asks for 23 s

    (blob,) = [path for path in tmp_path.rglob("blobs/*") if path.stat().st_size > 1e6]
    blob.write_bytes(blob.read_bytes()[:-1])
    with pytest.raises(nw.WeightsError, match="is damaged"):
        net.build(weights=NAME)
