"""The offline tools: what an operator runs on the files of volumes while no server has them.

``fix``, ``export``, ``compact`` and ``backup`` are those of SeaweedFS 4.44, with its flags and its files; ``inspect``,
``verify`` and ``salvage`` are ours. Each module that is named after a tool has a ``COMMAND``; ``dispatch`` runs it.
May import everything; nothing imports it but ``cli``, and only when a tool was asked for.
"""
