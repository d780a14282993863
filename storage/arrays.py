"""Arrays of values that are bytes already, sent in PostgreSQL's binary format as they are.

The driver's own dumper looks at each element of a list twice to find its type, which took more of a worker's CPU than
writing the rows. Here the type is known.
"""

from collections.abc import Sequence
from struct import pack
from typing import ClassVar

from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = ">iiIii"
"""Dimensions, whether some are null, the elements' type, how many there are, the first one's number."""


class PackedArray:
    """Elements in the binary format of the array's type; None is null."""

    oid: ClassVar[int]
    element_oid: ClassVar[int]

    def __init__(self, elements: Sequence[bytes | None]) -> None:
        self.elements = elements

    def packed(self) -> bytes:
        """The array in PostgreSQL's binary format."""
        elements = self.elements
        if not elements:
            return pack(">iiI", 0, 0, self.element_oid)
        parts = [pack(_HEADER, 1, None in elements, self.element_oid, len(elements), 1)]
        for element in elements:
            parts += (_NULL,) if element is None else (pack(">i", len(element)), element)
        return b"".join(parts)


_NULL = pack(">i", -1)


class Texts(PackedArray):
    """text[], of UTF-8."""

    oid, element_oid = 1009, 25


class Blobs(PackedArray):
    """bytea[]."""

    oid, element_oid = 1001, 17


class Integers(PackedArray):
    """integer[], each four bytes in network order."""

    oid, element_oid = 1007, 23


class Documents(PackedArray):
    """jsonb[], each its version and JSON in UTF-8."""

    oid, element_oid = 3807, 3802


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: PackedArray) -> Buffer | None:
        return obj.packed()


class _TextsDumper(_PackedDumper):
    oid = Texts.oid


class _BlobsDumper(_PackedDumper):
    oid = Blobs.oid


class _IntegersDumper(_PackedDumper):
    oid = Integers.oid


class _DocumentsDumper(_PackedDumper):
    oid = Documents.oid


def register_arrays(context: AdaptContext) -> None:
    """Let a connection take packed arrays as parameters."""
    if (adapters := context.adapters) is not None:
        adapters.register_dumper(Texts, _TextsDumper)
        adapters.register_dumper(Blobs, _BlobsDumper)
        adapters.register_dumper(Integers, _IntegersDumper)
        adapters.register_dumper(Documents, _DocumentsDumper)


def texts(values: Sequence[str | None]) -> Texts:
    return Texts([None if value is None else value.encode() for value in values])


def integers(values: Sequence[int]) -> Integers:
    return Integers([pack(">i", value) for value in values])


def documents(values: Sequence[bytes]) -> Documents:
    """Of JSON that is bytes already."""
    return Documents([b"\x01" + value for value in values])
