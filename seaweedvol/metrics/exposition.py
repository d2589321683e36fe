"""The text of ``/metrics``, format 0.0.4 of Prometheus, with names as they are.

The client library's own text puts ``_total`` behind the name of every counter and tells when it was made; Go's names
must stay as they are.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from seaweedvol.metrics.numbers import go_float

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
_COMPRESSION: Final = 1


def text_of(registry: CollectorRegistry) -> bytes:
    """All families that have series, by name."""
    described = sorted((_name_of(metric), metric) for metric in registry.collect() if metric.samples)
    return "".join(line for name, metric in described for line in _lines(name, metric)).encode()


def packed(text: bytes) -> bytes:
    """As gzip: there is little time, and it packs well."""
    return gzip.compress(text, _COMPRESSION, mtime=0)


def _name_of(metric: Metric) -> str:
    """The library takes the end off a counter's name, and puts it back in its samples."""
    if metric.type == "counter" and not any(sample.name == metric.name for sample in metric.samples):
        return f"{metric.name}_total"
    return metric.name


def _lines(name: str, metric: Metric) -> Iterable[str]:
    text = metric.documentation.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {name} {text}\n# TYPE {name} {metric.type}\n"
    for sample in metric.samples:
        if not sample.name.endswith("_created"):
            yield f"{sample.name}{_labels(sample)} {go_float(sample.value)}\n"


def _labels(sample: Sample) -> str:
    if not sample.labels:
        return ""
    # Go has the bound of a bucket last.
    names = sorted(sample.labels, key=lambda name: (name == "le", name))
    return "{" + ",".join(f'{name}="{_escaped(sample.labels[name])}"' for name in names) + "}"


def _escaped(value: str) -> str:
    # File names and collections may hold anything.
    whole = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return whole.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
