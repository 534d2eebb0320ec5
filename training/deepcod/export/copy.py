"""A bundle made from another one."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def copied_bundle(bundle: Path, out: Path) -> Iterator[Path]:
    """A copy of `bundle` to change; it becomes `out` when the block ends, which is replaced only if nothing failed."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as temporary:
        made = Path(temporary) / "bundle"
        shutil.copytree(bundle, made)
        yield made
        shutil.rmtree(out, ignore_errors=True)
        made.replace(out)
