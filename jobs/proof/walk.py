"""What a verification walked of a project, and what did not fit: each a sentence that names the row."""

from dataclasses import dataclass, field

from jobs.sentences import Sentence, Value

KEPT = 100  # sentences of one project; more are counted


@dataclass
class Walk:
    """Counts of what was walked, and the first faults."""

    jobs: int = 0
    replies: int = 0
    tombstones: int = 0
    checkpoints: int = 0
    faults: int = 0
    sentences: list[Sentence] = field(default_factory=list)

    def fault(self, text: str, **values: Value) -> None:
        """One more; `text` is marked for the catalogues where it stands."""
        self.faults += 1
        if len(self.sentences) < KEPT:
            self.sentences.append(Sentence(text, values))
