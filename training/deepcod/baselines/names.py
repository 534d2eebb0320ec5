"""What methods are called in tables and plots, and their colours there."""

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
    "ours-pictures": "ours, pictures allowed",
    "paper": "paper's form",
}

#: Okabe and Ito's, told apart by all common forms of colour vision, and three more.
COLOURS = {
    "offload": "#1a1a1a",
    "offload-lossy": "#8a8a8a",
    "offload-intp": "#56b4e9",
    "offload-cs": "#cc79a7",
    "offload-ae": "#e69f00",
    "on-device": "#b22222",
    "jpeg": "#7f3c8d",
    "webp": "#0072b2",
    "avif": "#009e73",
    "ours": "#d55e00",
    "ours-pictures": "#6b2d00",
    "paper": "#f0e442",
}
