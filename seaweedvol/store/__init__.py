"""All volumes of one server: the directories they lie in, where a new one goes, and what the master is told of them.

Knows directories, locks, free space and the set of volumes. Must not know Twisted, HTTP, gRPC, the master's protocol
or the configuration. May import :mod:`seaweedvol.storage` and :mod:`seaweedvol.ec` only. Everything here blocks, and
may be called from any thread.

``diskspace directory names state identity`` know no volume; ``survey reconcile sweeping clearing`` know files;
``location`` holds the volumes of one directory, ``placing`` chooses among locations, ``report`` and ``events`` say what
is there, and ``store`` is the whole.

Of encoded volumes ``shardfiles brokenoff mirroring`` know files, ``shardloading`` the shards of one directory,
``pruning settling`` those of all directories, ``shardreport`` says what is there, and ``erasure`` is the whole.
"""
