# SPDX-License-Identifier: Apache-2.0
"""The county's digest of who is registered where: what the hub writes and a station asks, as short keyed hashes.

An ID number is a point in a space of 2**24, drawn by HMAC-SHA256 under the county's key: its upper bits name a bucket,
the rest lies there with the number of a township. Only 24 bits, because ID numbers can be counted through: a stranger
with a stolen station would try all of them, and finds about four for every entry, true or not
(docs/decisions/2026-11-23-exists-elsewhere.md). A clerk who asks for one number is misled once in 33 times at most.

A bucket is its entries in order: the gap to the one before in Rice code, then four bits for the township.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator

BUCKET_BITS, REST_BITS, TOWNSHIP_BITS = 12, 12, 4
BUCKETS = 1 << BUCKET_BITS
KEY_BUCKET = -1
KEY_BYTES = 32
TOWNSHIP_CHARACTERS = 9
UNNAMED = (1 << TOWNSHIP_BITS) - 1  # a county with more townships than numbers: known, and nobody says where
_COUNT_BYTES = 2

Entry = tuple[int, int]


def place(key: bytes, id_number: str) -> tuple[int, int]:
    """(bucket, rest) of an 18-digit ID number."""
    point = int.from_bytes(hmac.digest(key, id_number.encode(), "sha256")[:3], "big")
    return point >> REST_BITS, point & ((1 << REST_BITS) - 1)


def pack(entries: Iterable[Entry]) -> bytes:
    """The bucket that holds these (rest, township)."""
    listed = sorted(entries)
    width = _rice_width(len(listed))
    bits, length, last = 0, 0, 0
    for rest, township in listed:
        gap, last = rest - last, rest
        high = gap >> width
        code = (((1 << high) - 1) << 1) << width | gap & ((1 << width) - 1)
        bits = (bits << high + 1 + width | code) << TOWNSHIP_BITS | township
        length += high + 1 + width + TOWNSHIP_BITS
    size = -(-length // 8)
    return len(listed).to_bytes(_COUNT_BYTES, "big") + (bits << size * 8 - length).to_bytes(size, "big")


def unpack(data: bytes) -> Iterator[Entry]:
    """The entries of a bucket in order. A bucket cut short ends early."""
    count, body = int.from_bytes(data[:_COUNT_BYTES], "big"), data[_COUNT_BYTES:]
    bits = "".join(f"{byte:08b}" for byte in body)
    width, at, rest = _rice_width(count), 0, 0
    for _ in range(count):
        stop = bits.find("0", at)
        end = stop + 1 + width + TOWNSHIP_BITS
        if stop < 0 or end > len(bits):
            return
        rest += (stop - at << width) + int(bits[stop + 1 : stop + 1 + width] or "0", 2)
        yield rest, int(bits[end - TOWNSHIP_BITS : end], 2)
        at = end


def pack_key(key: bytes, townships: Iterable[str]) -> bytes:
    """What stands in KEY_BUCKET: the key, and the townships in the order of their numbers."""
    return key + "".join(townships).encode()


def unpack_key(data: bytes) -> tuple[bytes, list[str]]:
    """The key and the townships."""
    codes = data[KEY_BYTES:].decode()
    return data[:KEY_BYTES], [
        codes[i : i + TOWNSHIP_CHARACTERS] for i in range(0, len(codes), TOWNSHIP_CHARACTERS)
    ]


def _rice_width(count: int) -> int:
    """Low bits of a gap: as many as the middle gap between that many entries has."""
    return max(0, ((1 << REST_BITS) // max(count, 1) * 7 // 10).bit_length() - 1) if count else 0
