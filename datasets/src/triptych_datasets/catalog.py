"""Named artifacts: what this package and the installed domain packages offer.

A package adds its own by an entry point, in its pyproject.toml:

    [project.entry-points."triptych_datasets.catalog"]
    vision = "triptych_vision.weights:artifacts"

The object named there is an iterable of `Artifact`, or a function without arguments that returns
one. It is loaded only when the default catalogue is first asked for.
"""

import difflib
import functools
import warnings
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase

from triptych_datasets.artifact import Artifact
from triptych_datasets.errors import CatalogError, UnknownName

__all__ = ["ENTRY_POINT_GROUP", "Catalog", "default_catalog"]

ENTRY_POINT_GROUP = "triptych_datasets.catalog"


class Catalog:
    """Artifacts by name.

    Args:
        artifacts: registered one after the other.

    Raises:
        CatalogError: two different artifacts have one name.

    Example:
        >>> toy = Artifact("toy.txt", sources=("file:///data/toy.txt",), sha256="0" * 64)
        >>> Catalog([toy]).names("toy*")
        ['toy.txt']
    """

    def __init__(self, artifacts: Iterable[Artifact] = ()) -> None:
        self._artifacts: dict[str, Artifact] = {}
        for artifact in artifacts:
            self.register(artifact)

    def register(self, artifact: Artifact) -> Artifact:
        """Add an artifact; adding the very same one again changes nothing.

        Args:
            artifact: the record of the file.

        Returns:
            The artifact, so that a module can name it in the same line.

        Raises:
            CatalogError: not an `Artifact`, or another one has this name already.
        """
        if not isinstance(artifact, Artifact):
            raise CatalogError(
                f"Catalog.register: wanted an Artifact, got {type(artifact).__name__}: "
                f"{artifact!r}; build one with Artifact(name, sources=(...,), sha256=...)"
            )
        present = self._artifacts.setdefault(artifact.name, artifact)
        if present != artifact:
            raise CatalogError(
                f"Catalog.register: {artifact.name!r} is registered already with other content\n"
                f"  there: {present}\n  new:   {artifact}\nGive the new one another name."
            )
        return artifact

    def get(self, name: str) -> Artifact:
        """Artifact of a name.

        Args:
            name: as registered; upper and lower case differ.

        Returns:
            The artifact.

        Raises:
            UnknownName: nothing has this name; the text holds the closest three that exist.
        """
        if name not in self._artifacts:
            raise UnknownName(f"no artifact is called {name!r}; {self._hint(name)}")
        return self._artifacts[name]

    def names(self, pattern: str = "*") -> list[str]:
        """Sorted names that match a pattern.

        Args:
            pattern: as in a shell: `*` any text, `?` one character, `[ab]` one of these.

        Returns:
            The names; empty when nothing matches.
        """
        return sorted(name for name in self._artifacts if fnmatchcase(name, pattern))

    def __contains__(self, name: object) -> bool:
        return name in self._artifacts

    def __iter__(self) -> Iterator[Artifact]:
        return (self._artifacts[name] for name in self.names())

    def __len__(self) -> int:
        return len(self._artifacts)

    def _hint(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._artifacts, n=3, cutoff=0.0)
        if not close:
            return "the catalogue is empty: install a package that registers some"
        return (
            f"the closest names are {', '.join(close)}; default_catalog().names() or, in a shell, "
            "triptych-datasets list gives them all"
        )


@functools.cache
def default_catalog() -> Catalog:
    """Catalogue of this package's files and of every installed package that registers some.

    Returns:
        One and the same catalogue for the whole process; own artifacts can be added to it.

    Warns:
        RuntimeWarning: a package's entry point fails; the others are there all the same.
    """
    from importlib.metadata import entry_points

    from triptych_datasets.real_files import ARTIFACTS

    catalog = Catalog(ARTIFACTS)
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            _register_all(catalog, entry.load())
        except Exception as error:  # a package that is broken must not hide the working ones
            warnings.warn(
                f"{ENTRY_POINT_GROUP}: the entry point {entry.name} = {entry.value} failed with "
                f"{type(error).__name__}: {error}; its files are not in the catalogue",
                RuntimeWarning,
                stacklevel=2,
            )
    return catalog


def _register_all(
    catalog: Catalog, offered: Iterable[Artifact] | Callable[[], Iterable[Artifact]]
) -> None:
    for artifact in offered() if callable(offered) else offered:
        catalog.register(artifact)
