"""Verify an evidence bundle of gesdash. Needs only Python 3.9 or later, not gesdash itself.

    python3 verify.py EVIDENCE.zip
    python3 verify.py FOLDER              the same, unpacked; by default the folder of this file
    python3 verify.py EVIDENCE.zip --checkpoint KEPT.json
    python3 verify.py EVIDENCE.zip --reply JOB NUMBER > REPLY.json       one reply, byte for byte

What is verified: every file is the one that was packed (SHA256SUMS); the bytes of every reply have
its digest; the digests, times and sources are chained as they were recorded and none is left out;
the newest link of each job that was sealed is a leaf of the tree whose root the checkpoint has.
Only a checkpoint that was kept outside of gesdash proves that none of this was made up later: give
it with --checkpoint, or compare the digest that is printed with one on paper.

The bytes of the replies are in replies/*.txt in the order of replies.jsonl, which gives the file
of each, its offset and its size in bytes; each is followed by a line end that is not part of it.

The forms that are hashed, each a JSON array in UTF-8 as json.dumps(form, ensure_ascii=False)
writes it:
    link        ["gesdash link 1", link before, project_id, job_id, number, source, version,
                 http_status, content_type, first_seen_at, sha256]
    leaf        a zero byte, then ["gesdash head 1", job_id, number, link]
    checkpoint  ["gesdash checkpoint 1", digest before, project_id, number, sealed_at, up_to,
                 jobs, replies, root]
The tree is that of RFC 6962.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import sys
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

START = "0" * 64
SUMS = "SHA256SUMS"
PIECE_BYTES = 1 << 20


class Wrong(Exception):
    """The bundle is invalid; the message is a sentence."""


class Bundle:
    """The files of a bundle, a zip or an unpacked folder."""

    def __init__(self, path: str) -> None:
        self.zip = None if os.path.isdir(path) else zipfile.ZipFile(path)
        self.folder = path

    def names(self) -> list[str]:
        """The names of all files, with slashes."""
        if self.zip is not None:
            return self.zip.namelist()
        paths = [
            os.path.join(folder, name)
            for folder, _, files in os.walk(self.folder)
            for name in files
        ]
        names = [os.path.relpath(path, self.folder).replace(os.sep, "/") for path in paths]
        return [name for name in names if not name.startswith("__pycache__/")]

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading. Raises: Wrong if it is missing."""
        try:
            return (
                self.zip.open(name)
                if self.zip is not None
                else open(os.path.join(self.folder, *name.split("/")), "rb")
            )
        except (KeyError, OSError):
            raise Wrong(f"{name}: the file is missing.") from None

    def digest(self, name: str) -> str:
        """The SHA-256 of a file, in hex."""
        digest = hashlib.sha256()
        with self.open(name) as file:
            for piece in iter(lambda: file.read(PIECE_BYTES), b""):
                digest.update(piece)
        return digest.hexdigest()

    def rows(self, name: str) -> Iterator[Any]:
        """The objects of a file of JSON Lines."""
        with self.open(name) as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError:  # noqa: PERF203  to name the line
                    raise Wrong(f"{name}, line {number}: not JSON.") from None


class Replies:
    """Reads the bytes of the replies once, in the order in which they are packed."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.name = ""
        self.offset = 0
        self.file: IO[bytes] | None = None

    def take(self, label: str, reply: Any) -> bytes:
        """The next bytes. Raises: Wrong, naming `label`, if they are not this reply's."""
        name, size = reply["file"], reply["size"]
        if name != self.name:
            self.end()
            self.name = name
            self.offset = 0
            self.file = self.bundle.open(name)
        if reply["offset"] != self.offset or not isinstance(size, int) or size < 0:
            raise Wrong(f"{label}: expected from byte {self.offset} of {name}.")
        content = self.file.read(size + 1) if self.file is not None else b""
        body = content[:size]
        if hashlib.sha256(body).hexdigest() != reply["sha256"] or content[size:] != b"\n":
            raise Wrong(
                "{}: the bytes in {} from {} are not the reply's.".format(
                    label, name, reply["offset"]
                )
            )
        self.offset += size + 1
        return body

    def end(self) -> None:
        """Close the file. Raises: Wrong if it has more than its replies."""
        if self.file is not None and self.file.read(1):
            raise Wrong(f"{self.name}: there is more in it than its replies.")
        self.close()

    def close(self) -> None:
        """Close the file, whatever is left in it."""
        if self.file is not None:
            self.file.close()
        self.name, self.file = "", None


def name_of(reply: Any) -> str:
    """How messages name a row of replies.jsonl."""
    return "project {}, job {}, reply number {}".format(
        reply["project_id"], reply["job_id"], reply["number"]
    )


def hashed(form: list[Any], start: bytes = b"") -> str:
    """The SHA-256 of a form, in hex; `start` goes before it."""
    return hashlib.sha256(start + json.dumps(form, ensure_ascii=False).encode()).hexdigest()


def node(left: str, right: str) -> str:
    """The hash of a tree's node from its two children, all in hex."""
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def root_of(leaf: str, index: int, size: int, path: list[str]) -> str:
    """The root that a path proves for a leaf. Raises: Wrong if the path has another length."""
    last = size - 1
    rest = list(path)
    while last > 0:
        if index % 2 or index < last:
            if not rest:
                raise Wrong("the path is too short.")
            sibling = rest.pop(0)
            leaf = node(sibling, leaf) if index % 2 else node(leaf, sibling)
        index, last = index // 2, last // 2
    if rest:
        raise Wrong("the path is too long.")
    return leaf


def check_files(bundle: Bundle) -> int:
    """Verify that the files are exactly those that were packed; gives their number."""
    digests = {}
    with bundle.open(SUMS) as file:
        for line in file.read().decode().splitlines():
            digest, _, name = line.partition("  ")
            digests[name] = digest

    names = set(bundle.names())
    for name in sorted(digests):
        if name not in names:
            raise Wrong(f"{name}: the file is missing.")
        if bundle.digest(name) != digests[name]:
            raise Wrong(f"{name}: the file is not the one that was packed.")
    for name in sorted(names - set(digests) - {SUMS}):
        raise Wrong(f"{name}: the file was not packed.")
    return len(digests)


def check_chain(bytes_of: Replies, replies: Iterable[Any]) -> tuple[list[str], int]:
    """Verify the bodies and links of one job.

    Gives the links by number, and how many replies were removed.
    """
    links = [START]
    absent = 0
    for reply in replies:
        label = name_of(reply)
        if reply["number"] != len(links):
            raise Wrong(f"{label}: expected number {len(links)}.")
        if reply["file"] is not None:
            bytes_of.take(label, reply)
        facts = [
            reply[name]
            for name in (
                "project_id",
                "job_id",
                "number",
                "source",
                "version",
                "http_status",
                "content_type",
            )
        ]
        form = ["gesdash link 1", links[-1], *facts, reply["first_seen_at"], reply["sha256"]]
        if hashed(form) != reply["link"]:
            raise Wrong(f"{label}: its link does not follow from what it says and the link before.")
        links.append(reply["link"])
        absent += reply["file"] is None
    return links, absent


def check_checkpoints(bundle: Bundle) -> dict[str, Any]:
    """Verify the digests of the checkpoints; gives each project's, by project ID."""
    checkpoints = {}
    for checkpoint in bundle.rows("checkpoints.jsonl"):
        fields = [
            checkpoint[name]
            for name in (
                "before",
                "project_id",
                "number",
                "sealed_at",
                "up_to",
                "jobs",
                "replies",
                "root",
            )
        ]
        if hashed(["gesdash checkpoint 1", *fields]) != checkpoint["digest"]:
            raise Wrong(
                "Checkpoint {} of project {}: its digest does not fit.".format(
                    checkpoint["number"], checkpoint["project_id"]
                )
            )
        checkpoints[checkpoint["project_id"]] = checkpoint
    return checkpoints


def check_head(head: Any, links: list[str], checkpoints: dict[str, Any]) -> bool:
    """Verify that the chain ends with the job's head and that its sealed link is in the tree.

    Gives whether all of the chain is sealed.
    """
    label = "project {}, job {}".format(head["project_id"], head["job_id"])
    if [head["number"], head["link"]] != [len(links) - 1, links[-1]]:
        raise Wrong(
            "{}: the chain ends with reply number {}; expected {}.".format(
                label, len(links) - 1, head["number"]
            )
        )
    sealed = head["sealed"]
    if sealed is None:
        return False

    checkpoint = checkpoints.get(head["project_id"])
    if (
        checkpoint is None
        or sealed["checkpoint"] != checkpoint["number"]
        or sealed["size"] != checkpoint["jobs"]
    ):
        raise Wrong("{}: checkpoint {} is not in the bundle.".format(label, sealed["checkpoint"]))
    if not 0 <= sealed["index"] < sealed["size"] or not 0 < sealed["number"] < len(links):
        raise Wrong(f"{label}: what is sealed is not in its chain.")
    leaf = hashed(
        ["gesdash head 1", head["job_id"], sealed["number"], links[sealed["number"]]], b"\x00"
    )
    try:
        root = root_of(leaf, sealed["index"], sealed["size"], sealed["path"])
    except Wrong as error:
        raise Wrong(f"{label}: {error}") from None
    if root != checkpoint["root"]:
        raise Wrong(
            "{}: its head is not what checkpoint {} sealed.".format(label, checkpoint["number"])
        )
    return bool(sealed["number"] == len(links) - 1)


def check_jobs(
    bundle: Bundle, bytes_of: Replies, checkpoints: dict[str, Any]
) -> tuple[int, int, int, int]:
    """Verify every chain and its head.

    Gives the numbers of jobs, of replies, of jobs sealed as they are and of removed replies.
    """
    chains = itertools.groupby(
        bundle.rows("replies.jsonl"), key=lambda row: (row["project_id"], row["job_id"])
    )
    chain = next(chains, None)
    jobs = replies = sealed = absent = 0
    for head, job in itertools.zip_longest(bundle.rows("heads.jsonl"), bundle.rows("jobs.jsonl")):
        if (
            head is None
            or job is None
            or (head["project_id"], head["job_id"]) != (job["project_id"], job["job_id"])
        ):
            raise Wrong("jobs.jsonl and heads.jsonl do not name the same jobs.")
        links = [START]
        if chain is not None and chain[0] == (head["project_id"], head["job_id"]):
            links, absent_of_job = check_chain(bytes_of, chain[1])
            absent += absent_of_job
            chain = next(chains, None)
        sealed += check_head(head, links, checkpoints)
        jobs += 1
        replies += len(links) - 1

    if chain is not None:
        raise Wrong(f"replies.jsonl has replies of job {chain[0][1]}, which is not in heads.jsonl.")
    bytes_of.end()
    return jobs, replies, sealed, absent


def check(bundle: Bundle, kept: Any = None) -> list[str]:
    """Verify all of the bundle; gives the lines of the result.

    Raises: Wrong with the first thing that does not fit.
    """
    lines = [f"{check_files(bundle)} files are the ones that were packed."]
    checkpoints = check_checkpoints(bundle)
    if kept is not None:
        project = kept.get("project_id")
        if project not in checkpoints:
            raise Wrong(f"The bundle has no checkpoint of project {project}.")
        if checkpoints[project] != kept:
            raise Wrong(
                "The bundle has checkpoint {} of project {} with digest {}; "
                "kept was {} with {}.".format(
                    checkpoints[project]["number"],
                    project,
                    checkpoints[project]["digest"],
                    kept.get("number"),
                    kept.get("digest"),
                )
            )
        lines.append(f"The checkpoint of project {project} is the one that was kept.")
    with contextlib.closing(Replies(bundle)) as bytes_of:
        jobs, replies, sealed, absent = check_jobs(bundle, bytes_of, checkpoints)
    lines.append(f"{replies} replies of {jobs} jobs are chained as they were recorded.")
    if absent:
        lines.append(
            f"{absent} of these replies were removed by retention; "
            "what is left of them is in the chain."
        )
    lines.append(
        f"{sealed} of these jobs are sealed as they are; "
        "what came later is chained, but not sealed yet."
    )
    for project, checkpoint in sorted(checkpoints.items()):
        lines.append(
            "Project {}, checkpoint {} of {}: digest {}".format(
                project, checkpoint["number"], checkpoint["sealed_at"], checkpoint["digest"]
            )
        )
    return lines


def print_reply(bundle: Bundle, job: str, number: str) -> None:
    """Write the bytes of a reply, as GES sent them, to standard output."""
    for reply in bundle.rows("replies.jsonl"):
        if (reply["job_id"], str(reply["number"])) == (job, number):
            if reply["file"] is None:
                raise Wrong(f"{name_of(reply)}: it was removed by retention.")
            with bundle.open(reply["file"]) as file:
                file.seek(reply["offset"])
                body = file.read(reply["size"])
            if hashlib.sha256(body).hexdigest() != reply["sha256"]:
                raise Wrong(
                    "{}: the bytes in {} from {} are not the reply's.".format(
                        name_of(reply), reply["file"], reply["offset"]
                    )
                )
            sys.stdout.buffer.write(body)
            return
    raise Wrong(f"The bundle has no reply number {number} of a job {job}.")


def main(arguments: list[str]) -> int:
    """Write what was verified, or what does not fit; gives the exit code."""
    parser = argparse.ArgumentParser(description="Verify a bundle of evidence, by itself.")
    parser.add_argument(
        "place",
        nargs="?",
        default=os.path.dirname(os.path.abspath(__file__)),
        help="the zip, or its folder",
    )
    parser.add_argument(
        "--checkpoint", metavar="FILE", help="a checkpoint that was kept, to compare with"
    )
    parser.add_argument(
        "--reply", nargs=2, metavar=("JOB", "NUMBER"), help="only write the bytes of this reply"
    )
    options = parser.parse_args(arguments)
    kept = None
    try:
        if options.reply:
            print_reply(Bundle(options.place), *options.reply)
            return 0
        if options.checkpoint:
            with open(options.checkpoint, encoding="utf-8") as file:
                kept = json.load(file)
        for line in check(Bundle(options.place), kept):
            sys.stdout.write(line + "\n")
    except Wrong as error:
        sys.stdout.write(f"DOES NOT FIT: {error}\n")
        return 1
    except (
        OSError,
        IndexError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
    ) as error:
        sys.stdout.write(f"CAN'T BE READ: {type(error).__name__}: {error}\n")
        return 1
    sys.stdout.write("All of it fits.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
