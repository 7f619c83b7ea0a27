"""Slips of typing and of optical character recognition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from triptych import Generator
from triptych.errors import UnknownNameError

from .drawing import Augmentation, chances, choose

__all__ = [
    "CharNoise",
    "KEYBOARD",
    "OCR",
]

ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")  # QWERTY, each half a key further in


def _neighbours() -> dict[str, str]:
    """key -> keys beside it, above it and below it."""
    places = {key: (y, x + y / 2) for y, row in enumerate(ROWS) for x, key in enumerate(row)}
    return {
        key: "".join(
            other
            for other, (v, u) in places.items()
            if other != key and abs(v - y) <= 1 and abs(u - x) <= 1
        )
        for key, (y, x) in places.items()
    }


KEYBOARD: dict[str, str] = _neighbours()
# Characters of similar shape.
OCR: dict[str, str] = {
    "0": "oOD", "1": "lI", "2": "Z", "5": "S", "6": "b", "8": "B", "9": "g",
    "o": "0", "O": "0D", "D": "O0", "l": "1I", "I": "l1", "Z": "2", "S": "5", "B": "8",
    "b": "6", "g": "9q", "q": "g", "c": "e", "e": "c", "u": "v", "v": "u", "h": "b", "n": "r",
    "i": "j", "j": "i", "t": "f", "f": "t", "m": "n",
}  # fmt: skip


class CharNoise(Augmentation):
    """Change characters of texts at random.

    Args:
        p: probability that a letter or digit is changed.
        kinds: of "substitute" (by a neighbour in `table`), "insert" (such a neighbour behind it),
            "delete" and "swap" (with the next one), drawn evenly.
        table: character -> those it is mistaken for: `KEYBOARD`, `OCR` or your own; small letters
            serve for capitals, too.
        generator: draws; default the global one.

    Raises:
        DomainError: p is no share.
        UnknownNameError: there is no such kind.

    Example:
        >>> CharNoise(1.0, ["substitute"], {"a": "x"})("a cat A")
        'x cxt X'
    """

    def __init__(
        self,
        p: float = 0.05,
        kinds: Sequence[str] = ("substitute", "insert", "delete", "swap"),
        table: Mapping[str, str] = KEYBOARD,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(p, generator=generator)
        slips: dict[str, Callable[[list[str], int], None]] = {
            "substitute": self._substitute,
            "insert": self._insert,
            "delete": self._delete,
            "swap": self._swap,
        }
        unknown = [kind for kind in kinds if kind not in slips]
        if unknown or not kinds:
            raise UnknownNameError(f"CharNoise: wanted kinds of {list(slips)}, got {list(kinds)}")
        self.kinds, self.table = tuple(kinds), table
        self._slips = [slips[kind] for kind in kinds]

    def change(self, text: str) -> str:
        """The text with slips in it.

        Args:
            text: a text.
        """
        chars = list(text)
        hit = chances(len(text), self.p, self.generator)
        for place, (char, changed) in enumerate(zip(text, hit, strict=True)):
            if changed and char.isalnum():
                choose(self._slips, self.generator)(chars, place)
        return "".join(chars)

    def _mistaken(self, char: str) -> str:
        if char in self.table:
            return choose(self.table[char], self.generator)
        found = self.table.get(char.lower())
        return choose(found, self.generator).upper() if found else char

    def _substitute(self, chars: list[str], place: int) -> None:
        if chars[place]:
            chars[place] = self._mistaken(chars[place][0]) + chars[place][1:]

    def _insert(self, chars: list[str], place: int) -> None:
        if chars[place]:
            chars[place] += self._mistaken(chars[place][0])

    def _delete(self, chars: list[str], place: int) -> None:
        chars[place] = ""

    def _swap(self, chars: list[str], place: int) -> None:
        if place + 1 < len(chars):
            chars[place], chars[place + 1] = chars[place + 1], chars[place]
