"""Deep compressive offloading: import a service, cut it, train codecs, export and evaluate bundles."""

__version__ = "0.1.0"
