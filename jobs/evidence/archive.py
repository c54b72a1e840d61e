"""A zip made while it is sent: deterministic, and only the bytes under way are in memory."""

import hashlib
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SUMS = "SHA256SUMS"


class _Sink:
    """The zip's output buffer; it can't seek, so that sizes come after the content."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        self._buffer += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do; ZipFile calls it."""

    def drain(self) -> Iterator[bytes]:
        if self._buffer:
            yield bytes(self._buffer)
            self._buffer.clear()


class Archive:
    """Entries one after the other; the last lists the SHA-256 of the others."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = ZipFile(cast(IO[bytes], self._sink), "w", ZIP_DEFLATED)
        self._sums = TemporaryFile()  # noqa: SIM115  as long as the archive

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._sums.close()

    def entry(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Add a file; yields the bytes of the zip that are ready to be sent."""
        digest = hashlib.sha256()
        with self._zip.open(_info(name), "w", force_zip64=True) as out:
            for piece in pieces:
                digest.update(piece)
                out.write(piece)
                yield from self._sink.drain()
        self._sums.write(f"{digest.hexdigest()}  {name}\n".encode())
        yield from self._sink.drain()

    def end(self) -> Iterator[bytes]:
        """Add the list of digests and close the zip; yields its remaining bytes."""
        self._sums.seek(0)
        yield from self.entry(SUMS, [self._sums.read()])
        self._zip.close()
        yield from self._sink.drain()


def _info(name: str) -> ZipInfo:
    """The same metadata on every system, at every time."""
    info = ZipInfo(name)  # of 1980, the first day a zip knows
    info.compress_type = ZIP_DEFLATED
    info.create_system = 3  # Unix
    info.external_attr = 0o644 << 16
    return info
