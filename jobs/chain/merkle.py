"""Merkle trees as in RFC 6962: the root in constant memory, and the path that proves a leaf.

Source: RFC 6962, section 2.1.
"""

import hashlib
from collections.abc import Iterable, Sequence
from tempfile import TemporaryFile

SIZE = 32  # bytes of a hash


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Root:
    """The root of leaves that are added one by one.

    It holds one hash for each bit of their count, as a binary counter does.
    """

    def __init__(self) -> None:
        self.size = 0
        self._full: list[bytes] = []  # roots of full subtrees, the largest first

    def add(self, leaf: bytes) -> None:
        """Add a leaf at the right."""
        self.size += 1
        carry = self.size
        while not carry & 1:
            leaf = node(self._full.pop(), leaf)
            carry >>= 1
        self._full.append(leaf)

    def value(self) -> bytes:
        """The root of the leaves so far."""
        if not self._full:
            return hashlib.sha256(b"").digest()
        root, *rest = reversed(self._full)
        for left in rest:
            root = node(left, root)
        return root


class Tree:
    """All hashes of a tree, in a temporary file.

    So the path of any leaf is at hand without the others in memory.
    """

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._file = TemporaryFile()  # noqa: SIM115  as long as the tree
        self._levels = [(0, self._write(leaves))]
        while self._levels[-1][1] > 1:
            start = self._file.tell()
            self._levels.append((start, self._write(self._above(*self._levels[-1]))))

    def __enter__(self) -> "Tree":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close and delete the file."""
        self._file.close()

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._levels[0][1]

    @property
    def root(self) -> bytes:
        """The same value as that of `Root`."""
        return self._at(self._levels[-1][0], 0) if self.size else hashlib.sha256(b"").digest()

    def path(self, index: int) -> list[bytes]:
        """The siblings on the way from a leaf to the root."""
        siblings = []
        for start, size in self._levels[:-1]:
            if index ^ 1 < size:
                siblings.append(self._at(start, index ^ 1))
            index >>= 1
        return siblings

    def _write(self, hashes: Iterable[bytes]) -> int:
        count = 0
        for leaf_or_node in hashes:
            self._file.write(leaf_or_node)
            count += 1
        return count

    def _above(self, start: int, size: int) -> Iterable[bytes]:
        """The level above: a hash of each pair, and a single last one as it is."""
        chunk = 4096
        for first in range(0, size, chunk):
            end = self._file.tell()
            self._file.seek(start + first * SIZE)
            hashes = self._file.read(min(chunk, size - first) * SIZE)
            self._file.seek(end)
            for pair in range(0, len(hashes), 2 * SIZE):
                left, right = hashes[pair : pair + SIZE], hashes[pair + SIZE : pair + 2 * SIZE]
                yield node(left, right) if right else left

    def _at(self, start: int, index: int) -> bytes:
        self._file.seek(start + index * SIZE)
        return self._file.read(SIZE)


def root_of(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a path proves for a leaf.

    Raises: ValueError when the path is too short or too long.
    """
    last = size - 1
    siblings = iter(path)
    try:
        while last > 0:
            if index & 1:
                leaf = node(next(siblings), leaf)
            elif index < last:
                leaf = node(leaf, next(siblings))
            index >>= 1
            last >>= 1
    except StopIteration as error:
        raise ValueError("The path is too short.") from error
    if next(siblings, None) is not None:
        raise ValueError("The path is too long.")
    return leaf
