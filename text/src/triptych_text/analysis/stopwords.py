"""Words that most English texts have, and that say little about them."""

from __future__ import annotations

from collections.abc import Container, Iterable

__all__ = ["STOPWORDS", "remove_stopwords"]

# Articles, pronouns, prepositions, conjunctions, auxiliaries and their short forms.
STOPWORDS_TEXT = """
a an the this that these those i me my mine myself we us our ours ourselves you your yours
yourself yourselves he him his himself she her hers herself it its itself they them their
theirs themselves who whom whose which what am is are was were be been being have has had
having do does did doing can could may might must shall should will would and but or nor
so yet if because as until while although though unless since than whether of at by for
with about against between into through during before after above below to from up down in
out on off over under upon within without along across among around behind beside again
further then once here there when where why how all any both each few more most other some
such no not only own same too very just also ain aren couldn didn doesn don hadn hasn
haven isn mightn mustn needn shan shouldn wasn weren won wouldn ll re ve d s t m o
"""
STOPWORDS: frozenset[str] = frozenset(STOPWORDS_TEXT.split())


def remove_stopwords(tokens: Iterable[str], stopwords: Container[str] = STOPWORDS) -> list[str]:
    """The tokens that are no stop words, whatever their case.

    Args:
        tokens: in order.
        stopwords: in lower case; default the English ones.

    Example:
        >>> remove_stopwords(["The", "cat", "is", "on", "the", "mat"])
        ['cat', 'mat']
    """
    return [token for token in tokens if token.lower() not in stopwords]
