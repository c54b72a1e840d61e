"""The result of verifying a project: counts, and the faults as sentences that name the row."""

from dataclasses import dataclass, field

from jobs.sentences import Sentence, Value

KEPT = 100  # sentences of one project; more are counted


@dataclass
class Walk:
    """Counts of verified rows; `sentences` has the first KEPT faults, `faults` counts all."""

    jobs: int = 0
    replies: int = 0
    tombstones: int = 0
    checkpoints: int = 0
    faults: int = 0
    sentences: list[Sentence] = field(default_factory=list)

    def fault(self, text: str, **values: Value) -> None:
        """Add a fault; the caller marks `text` for translation."""
        self.faults += 1
        if len(self.sentences) < KEPT:
            self.sentences.append(Sentence(text, values))
