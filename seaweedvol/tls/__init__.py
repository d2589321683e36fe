"""TLS: certificates in files, what is made of them for each library, and who may come in by them.

``certificates`` reads files; ``contexts`` makes what pyOpenSSL needs, ``calls`` and ``names`` what grpcio needs;
``credentials`` holds what is in use and takes new files over. No Twisted.
"""
