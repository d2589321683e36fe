"""Profiles of the whole life, written at its end: ``-cpuprofile`` and ``-memprofile``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.logger import Logger

from seaweedvol.profiling import memory
from seaweedvol.profiling.samples import Samples
from seaweedvol.profiling.sampling import Sampler

if TYPE_CHECKING:
    from seaweedvol.config.model import ProfilingSettings


class Recording(Service):
    """Looks from start to stop."""

    name = "profiles"
    _log = Logger()

    def __init__(self, settings: ProfilingSettings) -> None:
        self._settings = settings
        self._sampler: Sampler | None = None

    def startService(self) -> None:
        """Begin."""
        super().startService()
        if self._settings.memory_file:
            memory.start_tracing()
        if self._settings.cpu_file:
            self._sampler = Sampler()
            self._sampler.start()

    def stopService(self) -> None:
        """Write the files. Takes the reactor's thread for as long as it takes: nothing is served any more."""
        super().stopService()
        sampler, self._sampler = self._sampler, None
        if sampler is not None:
            self._write(self._settings.cpu_file, sampler.stop())
        if self._settings.memory_file:
            self._write(self._settings.memory_file, memory.traced(ends=True))

    def _write(self, path: str, samples: Samples) -> None:
        try:
            with open(path, "wb") as file:
                file.write(samples.encoded())
        except OSError as error:
            self._log.error("no profile is written to {path}: {error}", path=path, error=error)
