"""The spellings of all words as a tree, in arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["ROOT", "SpellingTree"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ROOT = 0


class SpellingTree:
    """Labels from the root spell words; words that begin alike share the way.

    Args:
        spellings: pairs of a word's number and its labels.
        scores: what the language model thinks of the word at the start of a sentence.

    Attributes:
        token: (nodes,) label that leads to a node; the root has -1.
        num_children: (nodes,) how many labels may follow.
        num_words: (nodes,) how many words end there.
        hope: (nodes,) the best score of the words that a node leads to, zero for the root. Beams
            are charged with it while they spell, so that all are compared on the same terms; it is
            taken back when the word is complete.
    """

    def __init__(self, spellings: list[tuple[int, list[int]]], scores: list[float]) -> None:
        nodes: list[dict[int, int]] = [{}]
        token, parent, depth = [-1], [-1], [0]
        ends: list[list[int]] = [[]]
        own = [-np.inf]
        for (word, labels), score in zip(spellings, scores, strict=True):
            at = ROOT
            for label in labels:
                ahead = nodes[at].setdefault(label, len(nodes))
                if ahead == len(nodes):
                    nodes.append({})
                    token.append(label)
                    parent.append(at)
                    depth.append(depth[at] + 1)
                    ends.append([])
                    own.append(-np.inf)
                at = ahead
            ends[at].append(word)
            own[at] = float(np.logaddexp(own[at], score))
        self.token = np.array(token)
        self._child_start, self._children = _packed([list(n.values()) for n in nodes])
        self._word_start, self._words = _packed(ends)
        self.num_children, self.num_words = np.diff(self._child_start), np.diff(self._word_start)
        self.hope = _smeared(np.array(own), np.array(parent), np.array(depth))

    def children(self, nodes: Ints) -> tuple[Ints, Ints]:
        """Nodes that follow.

        Args:
            nodes: (n,) where to go on from.

        Returns:
            (m,) which of the n it follows, and (m,) the node.
        """
        return _expanded(nodes, self._child_start, self._children)

    def words(self, nodes: Ints) -> tuple[Ints, Ints]:
        """Words that end at nodes.

        Args:
            nodes: (n,).

        Returns:
            (m,) at which of the n it ends, and (m,) its number.
        """
        return _expanded(nodes, self._word_start, self._words)


def _packed(lists: list[list[int]]) -> tuple[Ints, Ints]:
    """Lists one after the other, and where each starts, and the last ends."""
    starts = np.cumsum([0, *map(len, lists)])
    return starts, np.array([x for items in lists for x in items], np.int64)


def _expanded(nodes: Ints, starts: Ints, items: Ints) -> tuple[Ints, Ints]:
    counts = starts[nodes + 1] - starts[nodes]
    owner = np.repeat(np.arange(len(nodes)), counts)
    first = np.cumsum(counts) - counts  # of each owner, in the result
    return owner, items[np.arange(len(owner)) - first[owner] + starts[nodes[owner]]]


def _smeared(score: Floats, parent: Ints, depth: Ints) -> Floats:
    """Scores of words carried towards the root, the best of each branch."""
    for level in range(int(depth.max()), 0, -1):
        here = np.flatnonzero(depth == level)
        np.maximum.at(score, parent[here], score[here])
    score[ROOT] = 0.0
    return score
