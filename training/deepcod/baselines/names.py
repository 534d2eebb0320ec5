"""What methods are called in tables and plots."""

LABELS = {
    "offload": "offload",
    "offload-lossy": "offload, lossy",
    "offload-intp": "offload, interpolated",
    "offload-cs": "offload, compressive sensing",
    "offload-ae": "offload, auto-encoder",
    "on-device": "on the device",
    "jpeg": "JPEG",
    "webp": "WebP",
    "avif": "AVIF",
    "ours": "ours",
    "paper": "paper's form",
}
