"""``--check-config``: could a server start like this, and is there anything that its operator should know before?

Looks and tells; leaves nothing behind. For ``cli`` only.
"""
