"""The facts behind ``afterscene doctor``: what this machine has, and what it means for speed."""

import importlib.metadata
import os
import platform
import re
import time
from pathlib import Path
from typing import Any

from afterscene import __version__

#: CPU instructions that matter for speed, and what they speed up.
FEATURES = {
    "avx2": "fast float32",
    "avx512f": "faster float32",
    "avx512_bf16": "fast bfloat16",
    "amx_bf16": "very fast bfloat16",
    "asimd": "fast float32 (ARM)",
    "bf16": "fast bfloat16 (ARM)",
}
NEEDED_GB = 4.0  # memory the demo may need
_REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?.*?extra\s*==\s*['\"]([\w-]+)['\"]")


def survey(measure: bool = True) -> dict[str, Any]:
    """All facts as JSON values; ``measure`` runs half a second of convolutions."""
    facts: dict[str, Any] = {
        "afterscene": __version__,
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "cpu": cpu(),
        "memory": memory(),
        "torch": torch_facts(measure),
        "extras": extras(),
    }
    facts["advice"] = advice(facts)
    return facts


def cpu() -> dict[str, Any]:
    """Model, cores that this process may use, and the instructions that matter."""
    text = _read("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.+)", text)
    flags = re.search(r"(?:flags|Features)\s*:\s*(.+)", text)
    known = set(flags.group(1).split()) if flags else set()
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "model": model.group(1).strip() if model else platform.processor() or platform.machine(),
        "cores": len(affinity(0)) if affinity else os.cpu_count() or 1,
        "features": [name for name in FEATURES if name in known],
    }


def memory() -> dict[str, float | None]:
    """Total, available and container limit in GB (10^9 bytes); None where it is not known."""
    found = dict(re.findall(r"(\w+):\s+(\d+) kB", _read("/proc/meminfo")))
    limit = _read("/sys/fs/cgroup/memory.max").strip()
    return {
        "total_gb": _gb(found.get("MemTotal"), 1024),
        "available_gb": _gb(found.get("MemAvailable"), 1024),
        "limit_gb": _gb(limit if limit.isdigit() else None, 1),
    }


def _gb(text: str | None, unit: int) -> float | None:
    return None if text is None else round(int(text) * unit / 1e9, 1)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def torch_facts(measure: bool) -> dict[str, Any]:
    """Version, threads, accelerators, and the measured speed of a 3x3 convolution."""
    import torch

    gpus = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        gpus.append("Apple GPU (mps)")
    facts: dict[str, Any] = {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "gpus": gpus,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }
    if measure:
        facts["gflops_float32"] = _gflops(torch.float32)
        facts["gflops_bfloat16"] = _gflops(torch.bfloat16)
    return facts


def _gflops(dtype: Any, seconds: float = 0.25, side: int = 96, width: int = 64) -> float:
    """10^9 operations a second of a 64 -> 64 convolution on the CPU."""
    import torch

    image = torch.zeros(1, width, side, side, dtype=dtype)
    kernel = torch.zeros(width, width, 3, 3, dtype=dtype)
    work = 2 * side * side * width * width * 9
    with torch.inference_mode():
        torch.nn.functional.conv2d(image, kernel, padding=1)
        start, runs = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            torch.nn.functional.conv2d(image, kernel, padding=1)
            runs += 1
    return round(work * runs / (time.perf_counter() - start) / 1e9, 1)


def extras() -> dict[str, dict[str, Any]]:
    """Which extras are installed, and which packages the others lack."""
    wanted: dict[str, list[str]] = {}
    for line in importlib.metadata.requires("afterscene") or ():
        match = _REQUIREMENT.match(line)
        if match:
            wanted.setdefault(match.group(2), []).append(match.group(1))
    return {name: _extra(packages) for name, packages in sorted(wanted.items())}


def _extra(packages: list[str]) -> dict[str, Any]:
    missing = [name for name in packages if not _installed(name)]
    return {"installed": not missing, "missing": missing}


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def advice(facts: dict[str, Any]) -> list[str]:
    """What the facts mean, in sentences."""
    torch, cores = facts["torch"], facts["cpu"]["cores"]
    said = []
    if torch["gpus"]:
        said.append(f"GPU found ({', '.join(torch['gpus'])}): training and generation can use it.")
    else:
        said.append(f"No GPU found: everything runs on {cores} CPU cores.")
    if "gflops_float32" in torch:
        slow, fast = torch["gflops_float32"], torch["gflops_bfloat16"]
        better = f"bfloat16 is {fast / slow:.1f} times as fast as float32"
        said.append(f"{slow:g} GFLOP/s in float32; {better}.")
    memory = [m for m in (facts["memory"]["available_gb"], facts["memory"]["limit_gb"]) if m]
    if memory and min(memory) < NEEDED_GB:
        said.append(
            f"Only {min(memory):g} GB of memory are free; the demo may need {NEEDED_GB:g} GB."
        )
    for name, extra in facts["extras"].items():
        if not extra["installed"]:
            missing = ", ".join(extra["missing"])
            said.append(
                f"Extra {name!r} lacks {missing}. To install it: pip install 'afterscene[{name}]'"
            )
    return said
