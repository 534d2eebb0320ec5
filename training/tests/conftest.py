"""Shared by the tests: where the data is, and skipping where it is not."""

import os
from pathlib import Path

import pytest
from small import small_pack, small_service

from deepcod.codec.service import Service

_ROOT = Path(__file__).resolve().parents[2]


def _data() -> Path | None:
    for folder in (os.environ.get("DEEPCOD_DATA"), _ROOT.parent / "shared" / "data", _ROOT / "data"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    return None


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of detectors and photos; set DEEPCOD_DATA if it is elsewhere."""
    folder = _data()
    if folder is None:
        pytest.skip("no data folder; set DEEPCOD_DATA")
    return folder


@pytest.fixture(scope="session")
def yolox(data: Path) -> Path:
    """The YOLOX-nano detector."""
    return data / "detectors" / "yolox-nano-416.onnx"


@pytest.fixture
def service() -> Service:
    return small_service()


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    return small_pack(tmp_path)
