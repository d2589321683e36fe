"""Options from the environment.

As the running Go server does it (``util/fla9``): every option of ``weed volume`` may be given by a variable of its
name in capitals, without a prefix (``PORT``, ``DIR_IDX``); those of ``weed`` itself have the prefix ``WEED_``. Keys of
security.toml are read by :mod:`seaweedvol.config.security`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seaweedvol.config.flags import GLOBAL_OPTIONS, VOLUME_OPTIONS, Kind, Option


def variable_name(option: Option) -> str:
    """The variable that gives this option."""
    name = option.name.upper().replace("-", "_").replace(".", "_")
    return f"WEED_{name}" if option.is_go_global else name


def options_from(environ: Mapping[str, str]) -> Iterator[tuple[Option, str]]:
    """The options given there, with their texts. An empty variable turns a switch on."""
    for option in (*VOLUME_OPTIONS.values(), *GLOBAL_OPTIONS.values()):
        text = environ.get(variable_name(option))
        if text is None:
            continue
        if option.kind is Kind.SWITCH and not text:
            text = "true"
        yield option, text
