"""Verify an evidence bundle of gesdash. Needs Python 3.9 or later and nothing else; gesdash itself is not needed.

    python3 verify.py EVIDENCE.zip
    python3 verify.py FOLDER              the same, unpacked; without an argument the folder this file is in
    python3 verify.py EVIDENCE.zip --checkpoint KEPT.json
    python3 verify.py EVIDENCE.zip --reply JOB NUMBER > REPLY.json       one reply, byte for byte

What is checked: every file is the one that was packed (SHA256SUMS); every reply has the bytes its digest says; the digests,
times and sources are chained as they were recorded, none is left out; the newest link of each job that was sealed is a leaf
of the tree whose root the checkpoint has. Only a checkpoint that was kept outside of gesdash proves that all of this is not
made up anew: give it with --checkpoint, or compare the digest that is printed with one on paper.

The bytes of the replies stand in replies/*.txt in the order of replies.jsonl, which says the file of each, its offset and size
in bytes; a line end, which is not the reply's, follows each.

The forms that are hashed, each a JSON array in UTF-8 as json.dumps(form, ensure_ascii=False) writes it:
    link        ["gesdash link 1", link before, project_id, job_id, number, source, version, http_status, content_type,
                 first_seen_at, sha256]
    leaf        a zero byte, then ["gesdash head 1", job_id, number, link]
    checkpoint  ["gesdash checkpoint 1", digest before, project_id, number, sealed_at, up_to, jobs, replies, root]
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
PIECE = 1 << 20  # bytes


class Wrong(Exception):
    """What does not fit, in a sentence."""


class Bundle:
    """The files of a bundle, packed or not."""

    def __init__(self, place: str) -> None:
        self.zip = None if os.path.isdir(place) else zipfile.ZipFile(place)
        self.folder = place

    def names(self) -> list[str]:
        """Every file, by its name in the bundle."""
        if self.zip is not None:
            return self.zip.namelist()
        paths = [
            os.path.join(folder, name)
            for folder, _, files in os.walk(self.folder)
            for name in files
        ]
        found = [os.path.relpath(path, self.folder).replace(os.sep, "/") for path in paths]
        return [name for name in found if not name.startswith("__pycache__/")]

    def open(self, name: str) -> IO[bytes]:
        """One of them."""
        try:
            return (
                self.zip.open(name)
                if self.zip is not None
                else open(os.path.join(self.folder, *name.split("/")), "rb")
            )
        except (KeyError, OSError):
            raise Wrong(f"{name}: the file is missing.") from None

    def digest(self, name: str) -> str:
        """SHA-256 of one, in hex."""
        made = hashlib.sha256()
        with self.open(name) as file:
            for piece in iter(lambda: file.read(PIECE), b""):
                made.update(piece)
        return made.hexdigest()

    def rows(self, name: str) -> Iterator[Any]:
        """The objects of a file of JSON Lines."""
        with self.open(name) as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError:  # noqa: PERF203  to name the line
                    raise Wrong(f"{name}, line {number}: not JSON.") from None


class Replies:
    """The bytes of the replies, which are read once, in the order in which they are packed."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle, self.name, self.at = bundle, "", 0
        self.file: IO[bytes] | None = None

    def take(self, where: str, one: Any) -> bytes:
        """The next reply, which is to be this one."""
        name, size = one["file"], one["size"]
        if name != self.name:
            self.end()
            self.name, self.at, self.file = name, 0, self.bundle.open(name)
        if one["offset"] != self.at or not isinstance(size, int) or size < 0:
            raise Wrong(f"{where}: expected from byte {self.at} of {name}.")
        found = self.file.read(size + 1) if self.file is not None else b""
        body = found[:size]
        if hashlib.sha256(body).hexdigest() != one["sha256"] or found[size:] != b"\n":
            raise Wrong(
                "{}: the bytes in {} from {} are not the reply's.".format(
                    where, name, one["offset"]
                )
            )
        self.at += size + 1
        return body

    def end(self) -> None:
        """Nothing else may be in a file."""
        if self.file is not None and self.file.read(1):
            raise Wrong(f"{self.name}: there is more in it than its replies.")
        self.close()

    def close(self) -> None:
        """Whatever is still in it."""
        if self.file is not None:
            self.file.close()
        self.name, self.file = "", None


def name_of(one: Any) -> str:
    """A row of replies.jsonl, to be named."""
    return "project {}, job {}, reply number {}".format(
        one["project_id"], one["job_id"], one["number"]
    )


def hashed(form: list[Any], start: bytes = b"") -> str:
    """SHA-256 of a form, in hex."""
    return hashlib.sha256(start + json.dumps(form, ensure_ascii=False).encode()).hexdigest()


def node(left: str, right: str) -> str:
    """The hash of two, all in hex."""
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def root_of(leaf: str, index: int, size: int, path: list[str]) -> str:
    """The root that a path proves for a leaf."""
    last, rest = size - 1, list(path)
    while last > 0:
        if index % 2 or index < last:
            if not rest:
                raise Wrong("the path is too short.")
            other = rest.pop(0)
            leaf = node(other, leaf) if index % 2 else node(leaf, other)
        index, last = index // 2, last // 2
    if rest:
        raise Wrong("the path is too long.")
    return leaf


def check_files(bundle: Bundle) -> int:
    """Every file is there and the one that was packed, and there is no other."""
    listed = {}
    with bundle.open(SUMS) as file:
        for line in file.read().decode().splitlines():
            digest, _, name = line.partition("  ")
            listed[name] = digest
    names = set(bundle.names())
    for name in sorted(listed):
        if name not in names:
            raise Wrong(f"{name}: the file is missing.")
        if bundle.digest(name) != listed[name]:
            raise Wrong(f"{name}: the file is not the one that was packed.")
    for name in sorted(names - set(listed) - {SUMS}):
        raise Wrong(f"{name}: the file was not packed.")
    return len(listed)


def check_chain(bytes_of: Replies, replies: Iterable[Any]) -> tuple[list[str], int]:
    """One job's replies: bodies and links. Gives the links by number, and how many replies are no longer there."""
    links, absent = [START], 0
    for one in replies:
        where = name_of(one)
        if one["number"] != len(links):
            raise Wrong(f"{where}: expected number {len(links)}.")
        if one["file"] is not None:
            bytes_of.take(where, one)
        told = [
            one[name]
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
        if (
            hashed(["gesdash link 1", links[-1], *told, one["first_seen_at"], one["sha256"]])
            != one["link"]
        ):
            raise Wrong(f"{where}: its link does not follow from what it says and the link before.")
        links.append(one["link"])
        absent += one["file"] is None
    return links, absent


def check_checkpoints(bundle: Bundle) -> dict[str, Any]:
    """The newest checkpoint of each project: its digest. By project."""
    found = {}
    for one in bundle.rows("checkpoints.jsonl"):
        told = [
            one[name]
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
        if hashed(["gesdash checkpoint 1", *told]) != one["digest"]:
            raise Wrong(
                "Checkpoint {} of project {}: its digest does not fit.".format(
                    one["number"], one["project_id"]
                )
            )
        found[one["project_id"]] = one
    return found


def check_head(head: Any, links: list[str], checkpoints: dict[str, Any]) -> bool:
    """The chain ends where the job's head says, and its sealed link is a leaf of the checkpoint's tree."""
    where = "project {}, job {}".format(head["project_id"], head["job_id"])
    if [head["number"], head["link"]] != [len(links) - 1, links[-1]]:
        raise Wrong(
            "{}: the chain ends with reply number {}; expected {}.".format(
                where, len(links) - 1, head["number"]
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
        raise Wrong("{}: checkpoint {} is not in the bundle.".format(where, sealed["checkpoint"]))
    if not 0 <= sealed["index"] < sealed["size"] or not 0 < sealed["number"] < len(links):
        raise Wrong(f"{where}: what is sealed is not in its chain.")
    leaf = hashed(
        ["gesdash head 1", head["job_id"], sealed["number"], links[sealed["number"]]], b"\x00"
    )
    try:
        root = root_of(leaf, sealed["index"], sealed["size"], sealed["path"])
    except Wrong as wrong:
        raise Wrong(f"{where}: {wrong}") from None
    if root != checkpoint["root"]:
        raise Wrong(
            "{}: its head is not what checkpoint {} sealed.".format(where, checkpoint["number"])
        )
    return bool(sealed["number"] == len(links) - 1)


def check_jobs(
    bundle: Bundle, bytes_of: Replies, checkpoints: dict[str, Any]
) -> tuple[int, int, int, int]:
    """Every chain and its head: how many jobs, replies, jobs sealed as they are, and replies that are gone."""
    chains = itertools.groupby(
        bundle.rows("replies.jsonl"), key=lambda one: (one["project_id"], one["job_id"])
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
            links, without = check_chain(bytes_of, chain[1])
            absent += without
            chain = next(chains, None)
        sealed += check_head(head, links, checkpoints)
        jobs, replies = jobs + 1, replies + len(links) - 1
    if chain is not None:
        raise Wrong(f"replies.jsonl has replies of job {chain[0][1]}, which is not in heads.jsonl.")
    bytes_of.end()
    return jobs, replies, sealed, absent


def check(bundle: Bundle, kept: Any = None) -> list[str]:
    """All of it. Gives the lines to say; raises Wrong with the first thing that does not fit."""
    said = [f"{check_files(bundle)} files are the ones that were packed."]
    checkpoints = check_checkpoints(bundle)
    if kept is not None:
        project = kept.get("project_id")
        if project not in checkpoints:
            raise Wrong(f"The bundle has no checkpoint of project {project}.")
        if checkpoints[project] != kept:
            raise Wrong(
                "The bundle has checkpoint {} of project {} with digest {}; kept was {} with {}.".format(
                    checkpoints[project]["number"],
                    project,
                    checkpoints[project]["digest"],
                    kept.get("number"),
                    kept.get("digest"),
                )
            )
        said.append(f"The checkpoint of project {project} is the one that was kept.")
    with contextlib.closing(Replies(bundle)) as bytes_of:
        jobs, replies, sealed, absent = check_jobs(bundle, bytes_of, checkpoints)
    said.append(f"{replies} replies of {jobs} jobs are chained as they were recorded.")
    if absent:
        said.append(
            f"{absent} of these replies were removed by retention; what is left of them is in the chain."
        )
    said.append(
        f"{sealed} of these jobs are sealed as they are; what came later is chained, but not sealed yet."
    )
    for project, one in sorted(checkpoints.items()):
        said.append(
            "Project {}, checkpoint {} of {}: digest {}".format(
                project, one["number"], one["sealed_at"], one["digest"]
            )
        )
    return said


def print_reply(bundle: Bundle, job: str, number: str) -> None:
    """The bytes of one, as GES sent them."""
    for one in bundle.rows("replies.jsonl"):
        if (one["job_id"], str(one["number"])) == (job, number):
            if one["file"] is None:
                raise Wrong(f"{name_of(one)}: it was removed by retention.")
            with bundle.open(one["file"]) as file:
                file.seek(one["offset"])
                body = file.read(one["size"])
            if hashlib.sha256(body).hexdigest() != one["sha256"]:
                raise Wrong(
                    "{}: the bytes in {} from {} are not the reply's.".format(
                        name_of(one), one["file"], one["offset"]
                    )
                )
            sys.stdout.buffer.write(body)
            return
    raise Wrong(f"The bundle has no reply number {number} of a job {job}.")


def main(arguments: list[str]) -> int:
    """Say what was checked, or what does not fit; the exit code."""
    asked = argparse.ArgumentParser(description="Verify a bundle of evidence, by itself.")
    asked.add_argument(
        "place",
        nargs="?",
        default=os.path.dirname(os.path.abspath(__file__)),
        help="the zip, or its folder",
    )
    asked.add_argument(
        "--checkpoint", metavar="FILE", help="a checkpoint that was kept, to compare with"
    )
    asked.add_argument(
        "--reply", nargs=2, metavar=("JOB", "NUMBER"), help="only write the bytes of this reply"
    )
    options = asked.parse_args(arguments)
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
    except Wrong as wrong:
        sys.stdout.write(f"DOES NOT FIT: {wrong}\n")
        return 1
    except (
        OSError,
        IndexError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
    ) as wrong:
        sys.stdout.write(f"CAN'T BE READ: {type(wrong).__name__}: {wrong}\n")
        return 1
    sys.stdout.write("All of it fits.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
