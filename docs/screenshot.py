"""Draws `docs/summary.png`, the README's picture of a command, with headless Chromium.

python docs/screenshot.py
"""

from __future__ import annotations

import html
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

COMMAND = ["netwright", "summary", "resnet50", "--depth", "1"]
PAGE = """<meta charset="utf-8"><style>
body {{ margin: 0; background: #16181d; }}
pre {{ margin: 0; padding: 18px 22px; color: #d8dee9;
       font: 15px/1.35 "DejaVu Sans Mono", monospace; }}
b {{ color: #8fbcbb; }}
</style><pre><b>$ {command}</b>
{output}</pre>"""


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("this needs Chromium")
    here = str(Path(sys.executable).with_name(COMMAND[0]))
    done = subprocess.run([here, *COMMAND[1:]], capture_output=True, text=True, check=True)
    told = done.stdout.rpartition("\n\n")[0]  # without the convention's long line
    lines = told.splitlines()
    size = f"{int(max(map(len, lines)) * 9.04) + 48},{int((len(lines) + 1) * 20.3) + 40}"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(PAGE.format(command=" ".join(COMMAND), output=html.escape(told)))
        subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/p",
             "--disable-background-networking", "--hide-scrollbars", f"--window-size={size}",
             f"--screenshot={Path(__file__).with_name('summary.png')}", page.as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
