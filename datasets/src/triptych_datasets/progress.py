"""A progress bar on a terminal, silence elsewhere."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["ProgressBar"]


class ProgressBar:
    """Counts bytes, or something else, and shows them once there are some.

    Args:
        label: stands left of the bar.
        total: bytes that will come, when known.
        shown: True always, False never, None on a terminal only.
        unit: what is counted, "B" for bytes.
    """

    def __init__(self, label: str, total: int | None, shown: bool | None, unit: str = "B") -> None:
        self._label = label
        self._total = total
        self._shown = shown
        self._unit = unit
        self._bar: tqdm[Any] | None = None

    def update(self, num_bytes: int) -> None:
        """Count more bytes.

        Args:
            num_bytes: how many came.
        """
        if self._shown is False:
            return
        if self._bar is None:
            from tqdm import tqdm  # loaded only when there is something to show

            self._bar = tqdm(
                desc=self._label,
                total=self._total,
                unit=self._unit,
                unit_scale=True,
                disable=None if self._shown is None else False,  # None: off unless on a terminal
            )
        self._bar.update(num_bytes)

    def announce(self, text: str) -> None:
        """Show a line, where a bar would be shown.

        Args:
            text: what takes a while.
        """
        if sys.stderr.isatty() if self._shown is None else self._shown:
            print(text, file=sys.stderr)

    def expect(self, total: int) -> None:
        """Set the total once it is known.

        Args:
            total: size of the whole file in bytes.
        """
        self._total = total
        if self._bar is not None:
            self._bar.total = total

    def reset(self, total: int | None) -> None:
        """Start again from zero.

        Args:
            total: bytes that will come, when known.
        """
        self._total = total
        if self._bar is not None:
            self._bar.reset(total=total)

    def close(self) -> None:
        """Leave the bar as it is and end its line."""
        if self._bar is not None:
            self._bar.close()
