"""From flags, environment, files and TOML to one frozen tree of settings, checked and with units in the types.

Knows how operators spell options; must not know what an option does. Nothing below ``tap`` sees argv, the environment
or a TOML file: they see :class:`seaweedvol.config.model.Settings`. Imports nothing of ours but ``storage.ids`` and
``storage.errors``, and nothing heavy: the server must answer soon after its start.

The road: ``argv`` -> ``environment`` -> ``optionsfile`` -> ``toml`` (each only fills what the ones before left open)
-> ``load``, which turns texts into values by the table in ``flags`` and checks what belongs together.
"""

__all__ = ["address", "errors", "load", "model"]
