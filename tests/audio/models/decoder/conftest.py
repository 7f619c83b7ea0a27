"""A small language model, written by hand."""

import pytest

ARPA = r"""
made by hand

\data\
ngram 1=6
ngram 2=5
ngram 3=2

\1-grams:
-1.5	<unk>
-99	<s>	-0.5
-0.9	</s>
-0.7	ab	-0.3
-0.8	c	-0.2
-1.1	a

\2-grams:
-0.2	<s> ab	-0.1
-0.6	ab c	-0.4
-0.25	ab </s>
-0.35	c ab
-0.55	c </s>

\3-grams:
-0.05	<s> ab c
-0.15	ab c </s>

\end\
"""


@pytest.fixture
def arpa(tmp_path):
    """Path of the model's file."""
    path = tmp_path / "toy.arpa"
    path.write_text(ARPA, encoding="utf-8")
    return path
