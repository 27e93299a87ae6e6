# SPDX-License-Identifier: Apache-2.0
"""One column of a snapshot in few bytes: what repeats once, numbers by byte planes, the rest as text; each part packed.

    column := [0, value]                 every value is this one
            | [1, column, part]          a dictionary: its distinct values, then each value's place + 1, 0 for NULL
            | [2, width, part]           whole numbers, zigzag, in `width` byte planes, the lowest first
            | [3, part]                  texts in UTF-8, a NUL byte behind each
            | [4, column, part]          byte strings: their lengths, then all of them joined
            | [5, part, column]          a byte per value, 0 for NULL; then the column of the others
    part   := 0x00 and the bytes | 0x01 and the same as raw LZMA2 (dictionary 4 MiB, lc 3, lp 0, pb 0)

What reads raises BadFrame and nothing else, and takes no more memory than its Budget allows.
"""

from __future__ import annotations

import lzma
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from sync.wire import codec

CONST, DICTIONARY, INTS, TEXTS, BYTES, NULLS = range(6)
MAX_RAW = 32 * 1024 * 1024
_SMALL_DICTIONARY = 256
_REPEATS = 16
_MAX_DISTINCT = 65_535
_MAX_NESTED = 4
_FILTERS: list[dict[str, Any]] = [
    {"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 1 << 22, "lc": 3, "lp": 0, "pb": 0}
]  # fmt: skip


class Budget:
    """Bytes that a section may still unfold into: a bomb is recognised before it is built."""

    def __init__(self, left: int = MAX_RAW) -> None:
        self.left = left

    def take(self, size: int) -> None:
        """Raises BadFrame when it is used up."""
        self.left -= size
        if self.left < 0:
            raise codec.bad("payload", "size")


def pack(values: Sequence[Any]) -> list[Any]:
    """A column in the form that suits what is in it. The values are of one type, or None."""
    counted = Counter(values)
    if len(counted) == 1:
        return [CONST, values[0]]
    distinct = [v for v, _ in counted.most_common() if v is not None]
    if len(distinct) <= max(_SMALL_DICTIONARY, min(_MAX_DISTINCT, len(values) // _REPEATS)) < len(values):
        place: dict[Any, int] = {value: i for i, value in enumerate(distinct, 1)} | {None: 0}
        _, planes = _planes([place[v] for v in values])
        return [DICTIONARY, _pack_all(distinct), _part(planes)]
    if None in counted:
        return [NULLS, _part(bytes(v is not None for v in values)), _pack_all([v for v in values if v is not None])]
    return _pack_all(values)


def _pack_all(values: Sequence[Any]) -> list[Any]:
    if values and isinstance(values[0], int):
        width, planes = _planes([(v << 1) ^ (v >> 63) for v in values])
        return [INTS, width, _part(planes)]
    if values and isinstance(values[0], bytes):
        return [BYTES, pack([len(v) for v in values]), _part(b"".join(values))]
    return [TEXTS, _part(b"".join(v.encode() + b"\0" for v in values))]


def _planes(numbers: Sequence[int]) -> tuple[int, bytes]:
    width = max(1, (max(numbers).bit_length() + 7) // 8)
    return width, b"".join(bytes([n >> 8 * i & 255 for n in numbers]) for i in range(width))


def _part(data: bytes) -> bytes:
    packed = lzma.compress(data, lzma.FORMAT_RAW, filters=_FILTERS)
    return b"\1" + packed if len(packed) < len(data) else b"\0" + data


def unpack(column: Any, count: int, budget: Budget, nested: int = 0) -> list[Any]:
    """The `count` values of a column. Raises BadFrame."""
    require(type(column) is list and bool(column) and type(column[0]) is int and nested < _MAX_NESTED)
    form: int = column[0]
    parts: list[Any] = column[1:]
    require(0 <= form < len(_READERS))
    size, reader = _READERS[form]
    require(len(parts) == size)
    return reader(parts, count, budget, nested + 1)


def _read_const(parts: list[Any], count: int, budget: Budget, nested: int) -> list[Any]:
    require(parts[0] is None or type(parts[0]) in (int, str, bytes))
    budget.take(count)
    return parts * count


def _read_dictionary(parts: list[Any], count: int, budget: Budget, nested: int) -> list[Any]:
    data = _expand(parts[1], budget)
    require(count > 0 and len(data) % count == 0 and len(data) // count in (1, 2))
    places = _numbers(data, count)
    distinct = [None, *unpack(parts[0], max(places), budget, nested)]
    return [distinct[place] for place in places]


def _read_ints(parts: list[Any], count: int, budget: Budget, nested: int) -> list[Any]:
    width, data = parts[0], _expand(parts[1], budget)
    require(type(width) is int and 0 < width <= 8 and len(data) == width * count)
    return [(n >> 1) ^ -(n & 1) for n in _numbers(data, count)]


def _read_texts(parts: list[Any], count: int, budget: Budget, nested: int) -> list[Any]:
    data = _expand(parts[0], budget)
    require(data.count(0) == count and data[-1:] in (b"", b"\0"))
    try:
        return data.decode().split("\0")[:-1]
    except UnicodeDecodeError as error:
        raise codec.bad("payload", "text") from error


def _read_bytes(parts: list[Any], count: int, budget: Budget, nested: int) -> list[Any]:
    lengths, data = unpack(parts[0], count, budget, nested), _expand(parts[1], budget)
    require(all(type(n) is int and n >= 0 for n in lengths) and sum(lengths) == len(data))
    return [data[end - n : end] for n, end in zip(lengths, accumulate(lengths), strict=True)]


def _read_nulls(parts: list[Any], count: int, budget: Budget, nested: int) -> list[Any]:
    there = _expand(parts[0], budget)
    require(len(there) == count == there.count(0) + there.count(1))
    values = iter(unpack(parts[1], there.count(1), budget, nested))
    return [next(values) if given else None for given in there]


_READERS: tuple[tuple[int, Callable[[list[Any], int, Budget, int], list[Any]]], ...] = (
    (1, _read_const), (2, _read_dictionary), (2, _read_ints), (1, _read_texts), (2, _read_bytes), (2, _read_nulls),
)  # fmt: skip


def _numbers(data: bytes, count: int) -> list[int]:
    """Numbers from byte planes, the lowest first."""
    numbers = list(data[:count])
    for shift, start in enumerate(range(count, len(data), count or 1), 1):
        numbers = [n | high << 8 * shift for n, high in zip(numbers, data[start : start + count], strict=True)]
    return numbers


def _expand(part: Any, budget: Budget) -> bytes:
    require(type(part) is bytes and part[:1] in (b"\0", b"\1"))
    data: bytes = part[1:]
    if part[0]:
        stream = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
        try:
            data = stream.decompress(data, budget.left + 1)
        except lzma.LZMAError as error:
            raise codec.bad("payload", "lzma") from error
        require(len(data) > budget.left or (stream.eof and not stream.unused_data))
    budget.take(len(data))
    return data


def require(condition: bool) -> None:
    """Raises BadFrame when what was sent has not the form agreed."""
    if not condition:
        raise codec.bad("payload", "form")
