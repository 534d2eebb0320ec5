"""What a measurement ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path

from .. import __version__

#: Packages that times or results depend on.
_PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "torch")


def machine() -> dict[str, str | int | float]:
    """Processor, cores, memory, system; the same keys as the runtime's benches write."""
    cpus = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpus.read_text()) if cpus.exists() else None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": model[1].strip() if model else platform.processor() or "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory, 1),
        "os": f"{platform.system().lower()} {platform.release()}",
        "arch": platform.machine(),
    }


def versions() -> dict[str, str]:
    """Of the toolkit and what it measures with."""
    return {
        "deepcod": __version__,
        "python": platform.python_version(),
        **{p: importlib.metadata.version(p) for p in _PACKAGES},
    }
