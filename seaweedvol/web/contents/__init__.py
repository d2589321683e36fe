"""What a needle holds, as a reply shows it: its type and description, conditions on it, parts of it, packed or
unpacked, a picture made smaller, a list of chunks.

May import :mod:`~seaweedvol.web.syntax` and :mod:`~seaweedvol.web.message`; must not know where the bytes come from,
nor how they leave.
"""
