"""A zip made while it is sent: the same content gives the same bytes, and only what is under way is held."""

import hashlib
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SUMS = "SHA256SUMS"


class _Sink:
    """Where the zip writes; it can't seek, so that sizes come after the content."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        """All is here."""

    def taken(self) -> Iterator[bytes]:
        if self._held:
            yield bytes(self._held)
            self._held.clear()


class Archive:
    """Entries one after the other, each given as pieces; the last lists the SHA-256 of the others."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = ZipFile(cast(IO[bytes], self._sink), "w", ZIP_DEFLATED)
        self._sums = TemporaryFile()  # noqa: SIM115  as long as the archive

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._sums.close()

    def entry(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """One more file; what is to be sent meanwhile."""
        digest = hashlib.sha256()
        with self._zip.open(_info(name), "w", force_zip64=True) as out:
            for piece in pieces:
                digest.update(piece)
                out.write(piece)
                yield from self._sink.taken()
        self._sums.write(f"{digest.hexdigest()}  {name}\n".encode())
        yield from self._sink.taken()

    def end(self) -> Iterator[bytes]:
        """The list of digests, and the zip's own."""
        self._sums.seek(0)
        listed = self._sums.read()
        yield from self.entry(SUMS, [listed])
        self._zip.close()
        yield from self._sink.taken()


def _info(name: str) -> ZipInfo:
    """The same on every system, at every time."""
    info = ZipInfo(name)  # of 1980, the first day a zip knows
    info.compress_type, info.create_system, info.external_attr = ZIP_DEFLATED, 3, 0o644 << 16
    return info
