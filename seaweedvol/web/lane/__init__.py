"""The lane: listening, receiving and sending without Twisted's transports, behind one descriptor of the reactor.

Moves bytes, also out of files and through TLS. Must not know HTTP; of :mod:`seaweedvol.web` only its threads.
"""
