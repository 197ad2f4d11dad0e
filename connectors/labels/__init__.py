"""Label files: who says what about which address, read from our own CSV and from the public lists that exist."""

from __future__ import annotations

from connectors.labels.formats import FORMATS
from connectors.labels.own import write_labels
from connectors.labels.reading import LabelFile, read_labels

__all__ = ["FORMATS", "LabelFile", "read_labels", "write_labels"]
