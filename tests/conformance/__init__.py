"""The same requests to a Go volume server and to ours: answers must be equal, but for what docs/differences.rst lists.

Needs a SeaweedFS 4.44 ``weed`` named by the environment variable WEED_BINARY; without it every test here is skipped.
"""
