"""A bundle's manifest.json, read and written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from deepcod.errors import DeepcodError


def read_manifest(bundle: Path) -> dict[str, Any]:
    """The bundle's manifest; the Node side checks it thoroughly."""
    file = bundle / "manifest.json"
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        raise DeepcodError(f"{bundle}: holds no manifest.json", "Give a bundle's folder.", exit_code=3) from None
    except json.JSONDecodeError as error:
        raise DeepcodError(f"{file}: no valid JSON: {error}", exit_code=3) from error


def write_manifest(manifest: dict, folder: Path) -> None:
    """Bring the list of files up to date and write manifest.json."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name != "manifest.json")
    manifest["files"] = {
        p.name: {"bytes": p.stat().st_size, "sha256": hashlib.sha256(p.read_bytes()).hexdigest()} for p in files
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
