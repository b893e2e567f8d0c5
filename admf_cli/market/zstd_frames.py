"""The frames of a Zstandard file, walked without unpacking. Refuses to know what is in them.

Source: RFC 8878, section 3: frame header, then blocks of at most 128 KiB of text each, then an optional checksum.
"""

from __future__ import annotations

_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = tuple(bytes((0x50 + number, 0x2A, 0x4D, 0x18)) for number in range(16))
_BLOCK_MAX = 128 << 10


def most_unpacked(data: bytes) -> int:
    """Return an upper bound of how many bytes the frames unpack to.

    Raises:
        ValueError: these are no Zstandard frames, or they are cut off.
    """
    place = total = 0
    while place < len(data):
        magic = data[place : place + 4]
        if magic in _SKIPPABLE:
            place += 8 + _number(data, place + 4, 4)
        elif magic == _MAGIC:
            place, size = _frame(data, place + 4)
            total += size
        else:
            raise ValueError("not a Zstandard file" if place == 0 else f"no Zstandard frame at byte {place}")
    if place != len(data) or not data:
        raise ValueError("the last frame is cut off")
    return total


def _frame(data: bytes, place: int) -> tuple[int, int]:
    """Return where the frame ends whose header begins at `place`, and what it unpacks to at most."""
    descriptor = _number(data, place, 1)
    single = bool(descriptor & 0x20)
    content_size = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    place += 1 + (not single) + (0, 1, 2, 4)[descriptor & 3] + content_size
    total = 0
    while True:
        header = _number(data, place, 3)
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        place += 3 + (1 if kind == 1 else size)
        total += _BLOCK_MAX if kind == 2 else size
        if last:
            return place + (4 if descriptor & 4 else 0), total


def _number(data: bytes, place: int, size: int) -> int:
    found = data[place : place + size]
    if len(found) < size:
        raise ValueError("the last frame is cut off")
    return int.from_bytes(found, "little")
