"""Banks of filters."""

from __future__ import annotations

from kit import Sample

import netwright as nw

MAP = (3, 13, 11)

SAMPLES = [
    *(Sample(nw.FilterBank(name), MAP)
      for name in ("box", "emboss", "gaussian", "identity", "laplacian", "sharpen", "sobel")),
    Sample(nw.FilterBank("identity", 5, stride=2, padding=(1, 2)), MAP),
    Sample(nw.FilterBank("identity", 4, padding="full"), MAP),
    Sample(nw.FilterBank("identity", trainable=True), MAP),
    Sample(nw.FilterBank("sobel", stride=2, padding="valid", trainable=True), MAP),
    Sample(nw.FilterBank("gaussian", 6, 1.5, stride=(2, 3)), MAP),
    Sample(nw.FilterBank("box", 5, padding="full"), (2, 1, 1)),
    Sample(nw.FilterBank("laplacian", trainable=True), (2, 1, 1)),
    Sample(nw.FilterBank("gaussian", 5, border="symmetric"), MAP),
    Sample(nw.FilterBank("box", border=0.5), (2, 1, 1)),
    Sample(nw.GaborBank(2, size=5, border="reflect"), MAP),
    Sample(nw.GaborBank(3, (0.25, 0.5), octaves=1.5, size=4, padding=((0, 2), 1), trainable=True),
           MAP),
]  # fmt: skip

WRONG = {
    "FilterBank": [{"bank": "prewitt"}, {"bank": "box", "size": 0}, {"bank": "sobel", "size": 5},
                   {"bank": "gaussian", "sigma": 0}, {"bank": "box", "sigma": 2.0},
                   {"bank": "box", "trainable": 1}, {"bank": "box", "stride": 0},
                   {"bank": "box", "padding": "most"}, {"bank": "box", "border": "crop"},
                   {"bank": "box", "border": "edge"}, {"bank": "box", "size": 2.5}],
    "GaborBank": [{"orientations": 0}, {"frequencies": ()}, {"frequencies": (0.7,)},
                  {"frequencies": 0.25}, {"octaves": 0}, {"size": -3}, {"trainable": None}],
}  # fmt: skip

MISFITS = {
    "FilterBank": [((8,), {"bank": "sobel"}), ((8, 9), {"bank": "box"}),
                   ((3, 2, 9), {"bank": "sobel", "padding": "valid"}),
                   ((3, 2, 2), {"bank": "box", "size": 7, "border": "reflect"})],
    "GaborBank": [((4, 3, 9, 9), {}), ((1, 9, 9), {"padding": 0})],
}  # fmt: skip
