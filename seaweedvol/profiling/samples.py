"""What was seen how often, by stack, and how that is written down: pprof's protocol buffer, or text."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from seaweedvol.pb.profile_pb2 import Profile

_TOP: Final = 50


@attrs.frozen
class Call:
    """One entry of a stack: where the function is, and at which of its lines it was."""

    file: str
    function: str
    first_line: int
    line: int


Stack = tuple[Call, ...]
"""Calls, the innermost first."""

Key = tuple[str, Stack]
"""The thread's name and its stack."""


@attrs.frozen
class Samples:
    """What was seen.

    :ivar kinds: name and unit of each value: ``("cpu", "nanoseconds")``.
    :ivar found: the values for each stack.
    :ivar period: between two looks, in the unit of the last kind; 0: there were none.
    :ivar began_ns: since 1970.
    """

    kinds: tuple[tuple[str, str], ...]
    found: Mapping[Key, Sequence[int]]
    period: int = 0
    began_ns: int = 0
    lasted_ns: int = 0
    comment: str = ""

    def encoded(self) -> bytes:
        """For ``go tool pprof``: a compressed protocol buffer."""
        return gzip.compress(_Encoder(self).profile.SerializeToString(), mtime=0)

    def text(self) -> str:
        """For people: the largest by the last kind, each with its stack."""
        unit = " ".join(self.kinds[-1])
        total = sum(values[-1] for values in self.found.values())
        lines = [f"{self.comment}\n" if self.comment else "", f"{total} {unit} in {len(self.found)} stacks\n"]
        for (thread, stack), values in sorted(self.found.items(), key=lambda item: -item[1][-1])[:_TOP]:
            numbers = ", ".join(f"{value} {name} {unit}" for value, (name, unit) in zip(values, self.kinds))
            lines.append(f"\n{numbers}" + (f", thread {thread}" if thread else "") + "\n")
            lines += [f"  {call.function}\n      {call.file}:{call.line}\n" for call in stack]
        return "".join(lines)


class _Encoder:
    """Makes a profile; equal texts, functions and places are written once."""

    def __init__(self, samples: Samples) -> None:
        from seaweedvol.pb import profile_pb2

        self.profile: Profile = profile_pb2.Profile()
        self._texts: dict[str, int] = {}
        self._functions: dict[tuple[str, str, int], int] = {}
        self._places: dict[Call, int] = {}
        self._text("")
        profile = self.profile
        mapping = profile.mapping.add(id=1, has_functions=True, has_filenames=True, has_line_numbers=True)
        mapping.filename = self._text("seaweed-volume")
        for name, unit in samples.kinds:
            profile.sample_type.add(type=self._text(name), unit=self._text(unit))
        for (thread, stack), values in samples.found.items():
            sample = profile.sample.add(location_id=[self._place(call) for call in stack], value=values)
            if thread:
                sample.label.add(key=self._text("thread"), str=self._text(thread))
        profile.time_nanos, profile.duration_nanos = samples.began_ns, samples.lasted_ns
        if samples.period:
            name, unit = samples.kinds[-1]
            profile.period_type.type, profile.period_type.unit = self._text(name), self._text(unit)
            profile.period = samples.period
        profile.default_sample_type = self._text(samples.kinds[-1][0])
        if samples.comment:
            profile.comment.append(self._text(samples.comment))
        profile.string_table.extend(self._texts)

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text.encode("utf-8", "replace").decode(), len(self._texts))

    def _place(self, call: Call) -> int:
        found = self._places.get(call)
        if found is None:
            found = self._places[call] = len(self._places) + 1
            place = self.profile.location.add(id=found, mapping_id=1)
            place.line.add(function_id=self._function(call), line=call.line)
        return found

    def _function(self, call: Call) -> int:
        key = (call.file, call.function, call.first_line)
        found = self._functions.get(key)
        if found is None:
            found = self._functions[key] = len(self._functions) + 1
            name = self._text(call.function)
            self.profile.function.add(id=found, name=name, system_name=name, filename=self._text(call.file),
                                      start_line=call.first_line)
        return found
