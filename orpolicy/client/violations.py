"""What an audit writes into the ledger."""

from __future__ import annotations

from attrs import frozen


@frozen
class Violation:
    """A reply from where its preset does not allow; ``breaches`` maps JSON pointers of the body to what was served."""

    preset: str
    generation_id: str
    model: str
    provider: str | None
    breaches: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        said = "; ".join(f"{pointer} does not allow {served}" for pointer, served in self.breaches)
        return f"preset '{self.preset}' was not kept to by {self.generation_id or 'a reply'}: {said}"
