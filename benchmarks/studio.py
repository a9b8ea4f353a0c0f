"""The studio as a person meets it: seconds until the page can be used, and until the first picture.

    python -m benchmarks.studio [--sample river]
    unshare -rn sh -c 'ip link set lo up && python -m benchmarks.studio'    # without a network

Starts `afterscene studio` on an empty folder, opens its page in Debian's Chromium and draws one
sample. Prints one JSON line; ``elsewhere`` lists what the page asked of another machine.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

from playwright.sync_api import Page, sync_playwright

LONGEST = 60_000
READY, INTERACTIVE, PICTURE = "path[data-level]", "body[data-ready]", "#downloads a"


def measured(page: Page, address: str, sample: str) -> dict[str, Any]:
    """Seconds from opening the address, and from the click on the button."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(INTERACTIVE)
    interactive = time.perf_counter() - start
    page.wait_for_selector(READY, state="attached")
    levels = time.perf_counter() - start
    page.click(f"#samples >> text={sample}")
    page.wait_for_selector(READY, state="attached")
    start = time.perf_counter()
    page.click("#generate")
    page.wait_for_selector(PICTURE, timeout=LONGEST)
    here = (address.split("?")[0], "data:", "blob:")
    return {
        "page_interactive_s": round(interactive, 2),
        "first_levels_s": round(levels, 2),
        "first_picture_s": round(time.perf_counter() - start, 2),
        "requests": len(asked),
        "elsewhere": [url for url in asked if not url.startswith(here)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", default="river")
    sample = parser.parse_args().sample
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "afterscene", "studio", "--no-browser", "--port", "0"]
        start = time.perf_counter()
        server = subprocess.Popen(
            [*command, "--folder", f"{folder}/studio", "--json"], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        said = "".join(server.stdout.readline() for _ in range(3))
        opened = round(time.perf_counter() - start, 2)
        try:
            with sync_playwright() as playwright:
                found = shutil.which("chromium")
                browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
                page = browser.new_page()
                values = measured(page, json.loads(said)["address"], sample)
                browser.close()
        finally:
            server.terminate()
            server.wait()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(json.dumps({"address_printed_s": opened, **values, "largest_process_mib": peak}))


if __name__ == "__main__":
    main()
