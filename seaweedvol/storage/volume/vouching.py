"""Whether a .dat and an .idx that came from elsewhere belong together and are sound, by a sample.

Every row must lead into the .dat; of some, chosen at random, all bytes of the record are checked. Knows nothing of how
the files came.
"""

from __future__ import annotations

import random
from typing import Final

import numpy

from seaweedvol.storage.backend import DiskFile
from seaweedvol.storage.errors import Corrupt
from seaweedvol.storage.format.index import OffsetWidth
from seaweedvol.storage.format.needle import HEADER_LENGTH, NeedleVersion
from seaweedvol.storage.needlemap import Rows, read_rows
from seaweedvol.storage.volume.scanning import RecordReader

SAMPLES: Final = 64
#: Large records are left alone after so many bytes.
SAMPLED_LENGTH: Final = 32 << 20


def vouch(index_path: str, data_path: str, codec: NeedleVersion, width: OffsetWidth) -> list[tuple[int, int]]:
    """Check the pair; offset and size of the records that were found to be not sound.

    :raises Corrupt: when a row leads out of the .dat.
    :raises OSError: when a file cannot be read.
    """
    index, data = (DiskFile(path, writable=False) for path in (index_path, data_path))
    try:
        rows = read_rows(index, width)
        fixed_length = HEADER_LENGTH + codec.footer_length
        length = data.length()
        is_wrapped = width is OffsetWidth.FOUR and length > width.max_volume_length
        if not is_wrapped and numpy.any(rows.ends(fixed_length)[rows.units != 0] > length):
            raise Corrupt(f"a row of {index_path} leads out of the {length} bytes of the data")
        return [] if is_wrapped else _doubtful(rows, RecordReader(data, codec, length))
    finally:
        index.close()
        data.close()


def _doubtful(rows: Rows, reader: RecordReader) -> list[tuple[int, int]]:
    found, left = [], SAMPLED_LENGTH
    count = len(rows)
    for row in sorted(random.sample(range(count), min(SAMPLES, count))):
        _, offset, size = rows[row]
        size = max(size, 0)
        if not offset or size > left:
            continue
        left -= size
        record = reader.record_at(offset)
        if record is None or not record.is_sound or record.size != size:
            found.append((offset, size))
    return found
