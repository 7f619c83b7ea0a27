"""Sentences and pairs of sentences with a label, most of them tasks of GLUE."""

from __future__ import annotations

from functools import partial
from typing import Any

from triptych.errors import UnknownNameError

from .classification import SST2, TORCHTEXT
from .iterable import IterableDataset
from .language import TFDS
from .published import (
    Description,
    File,
    Inside,
    Loader,
    PathLike,
    loader,
    split_or_splits,
)
from .records import json_lines, table
from .rows import Numbered, Picked

__all__ = ["CoLA", "GLUE", "MNLI", "MRPC", "QNLI", "QQP", "RTE", "SNLI", "STSB", "WNLI",
           "XNLI"]  # fmt: skip

TSV = partial(table, delimiter="\t", quoted=False, skip=1)
TSV_QUOTED = partial(table, delimiter="\t", skip=1)
NLI = {"entailment": 0, "neutral": 1, "contradiction": 2}

_COLA = File("https://nyu-mll.github.io/CoLA/cola_public_1.1.zip",
             "9f6d88c3558ec424cd9d66ea03589aba")  # fmt: skip
_COLA_ROW = Picked(((0, None), (1, int), (3, None)), count=4, skip_others=True)
CoLA = loader(
    Description(
        "CoLA",
        {
            split: Inside(_COLA, TSV, _COLA_ROW, f"cola_public/raw/{name}.tsv", size)
            for split, name, size in (
                ("train", "in_domain_train", 8_551),
                ("dev", "in_domain_dev", 527),
                ("test", "out_of_domain_dev", 516),
            )
        },
        "Sentences of linguists: rows (source, label, sentence), 1 acceptable, 0 not.",
        f"Warstadt et al. 2018; {TORCHTEXT}",
    )
)

_MNLI = File("https://cims.nyu.edu/~sbowman/multinli/multinli_1.0.zip",
             "0f70aaf66293b3c088a864891db51353")  # fmt: skip
_NLI_ROW = Picked(((0, Numbered(NLI)), (5, None), (6, None)), only=(0, frozenset(NLI)))
MNLI = loader(
    Description(
        "MNLI",
        {
            split: Inside(_MNLI, TSV, _NLI_ROW, f"multinli_1.0_{split}.txt", size)
            for split, size in (
                ("train", 392_702),
                ("dev_matched", 9_815),
                ("dev_mismatched", 9_832),
            )
        },
        "Pairs of sentences: rows (label, premise, hypothesis), 0 entailment, 1 neutral, "
        "2 contradiction.",
        f"Williams et al. 2018; {TORCHTEXT}",
    )
)

_SNLI = File("https://nlp.stanford.edu/projects/snli/snli_1.0.zip",
             "afb3d70a5af5d8de0d9d81e2637e0fb8c22d1235c2749d83125ca43dab0dbd3e")  # fmt: skip
SNLI = loader(
    Description(
        "SNLI",
        {
            split: Inside(_SNLI, TSV, _NLI_ROW, f"snli_1.0_{split}.txt", size)
            for split, size in (("train", 549_367), ("dev", 9_842), ("test", 9_824))
        },
        "Pairs of sentences about pictures: rows (label, premise, hypothesis) as of `MNLI`; pairs "
        "on which people did not agree are left out.",
        f"Bowman et al. 2015; {TFDS}",
    )
)

_MRPC = "https://dl.fbaipublicfiles.com/senteval/senteval_data/msr_paraphrase_"
_MRPC_ROW = Picked(((0, int), (3, None), (4, None)), count=5)
MRPC = loader(
    Description(
        "MRPC",
        {
            "train": Inside(File(_MRPC + "train.txt", "793daf7b6224281e75fe61c1f80afe35"), TSV,
                            _MRPC_ROW, num_rows=4_076),
            "test": Inside(File(_MRPC + "test.txt", "e437fdddb92535b820fe8852e2df8a49"), TSV,
                           _MRPC_ROW, num_rows=1_725),
        },
        "Pairs of sentences of news: rows (label, sentence, sentence), 1 the same meaning.",
        f"Dolan and Brockett 2005; {TORCHTEXT}",
    )
)  # fmt: skip


def _glue(
    name: str, about: str, archive: str, md5: str, labels: Any, sizes: tuple[int, ...], read: Any
) -> Loader:
    file = File(f"https://dl.fbaipublicfiles.com/glue/data/{archive}.zip", md5)
    rows = {
        "train": Picked(((3, labels), (1, None), (2, None)), count=4),
        "dev": Picked(((3, labels), (1, None), (2, None)), count=4),
        "test": Picked(((1, None), (2, None)), count=3),
    }
    splits = {
        split: Inside(file, read, rows[split], f"{name}/{split}.tsv", size)
        for split, size in zip(rows, sizes, strict=True)
    }
    return loader(Description(name, splits, about, f"Wang et al. 2018; {TORCHTEXT}"))


QNLI = _glue(
    "QNLI", "Questions and sentences: rows (label, question, sentence), 0 answers it, 1 does not; "
    "test: (question, sentence).", "QNLIv2", "b4efd6554440de1712e9b54e14760e82",
    Numbered({"entailment": 0, "not_entailment": 1}), (104_743, 5_463, 5_463), TSV,
)  # fmt: skip
RTE = _glue(
    "RTE", "Pairs of sentences: rows (label, premise, hypothesis), 0 entailment, 1 not; test: "
    "(premise, hypothesis).", "RTE", "bef554d0cafd4ab6743488101c638539",
    Numbered({"entailment": 0, "not_entailment": 1}), (2_490, 277, 3_000), TSV,
)  # fmt: skip
WNLI = _glue(
    "WNLI", "Pairs of sentences with a pronoun: rows (label, sentence, sentence), 1 entailment; "
    "test: (sentence, sentence).", "WNLI", "a1b4bd2861017d302d29e42139657a42",
    int, (635, 71, 146), TSV_QUOTED,
)  # fmt: skip

_STSB = File("http://ixa2.si.ehu.es/stswiki/images/4/48/Stsbenchmark.tar.gz",
             "4eb0065aba063ef77873d3a9c8088811")  # fmt: skip
_STSB_ROW = Picked(((3, int), (4, float), (5, None), (6, None)))
STSB = loader(
    Description(
        "STSB",
        {
            split: Inside(_STSB, partial(table, delimiter="\t", quoted=False), _STSB_ROW,
                          f"stsbenchmark/sts-{split}.csv", size)
            for split, size in (("train", 5_749), ("dev", 1_500), ("test", 1_379))
        },
        "Pairs of sentences: rows (index, similarity from 0 to 5, sentence, sentence).",
        f"Cer et al. 2017; {TORCHTEXT}",
    )
)  # fmt: skip

_QQP = loader(
    Description(
        "QQP",
        {
            "train": Inside(
                File("http://qim.fs.quoracdn.net/quora_duplicate_questions.tsv",
                     "b6d5672bd9dc1e66ab2bb020ebeafb8d"),
                TSV_QUOTED, Picked(((-1, int), (3, None), (4, None)), count=6), num_rows=404_290,
            )
        },
        "Pairs of questions.",
        TORCHTEXT,
    )
)  # fmt: skip


def QQP(root: PathLike | None = None) -> IterableDataset:
    """Pairs of questions of Quora: rows (label, question, question), 1 the same question.

    Args:
        root: the file lies in `root/datasets/QQP/`; by default it is fetched to the cache.

    Returns:
        An `IterableDataset`.

    Source: addresses, hashes and rows as torchtext 0.18's.
    """
    data: IterableDataset = _QQP(root, "train")
    return data


QQP.description = _QQP.description  # type: ignore[attr-defined]

_XNLI = File("https://cims.nyu.edu/~sbowman/xnli/XNLI-1.0.zip",
             "4ba1d5e1afdb7161f0f23c66dc787802ccfa8a25a3ddd3b165a35e50df346ab1")  # fmt: skip
XNLI_LANGUAGES = (
    "ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh",
)  # fmt: skip
_XNLI_ALL = loader(
    Description(
        "XNLI",
        {
            split: Inside(
                _XNLI, json_lines,
                Picked((("language", None), ("gold_label", Numbered(NLI)), ("sentence1", None),
                        ("sentence2", None))),
                f"xnli.{split}.jsonl", size,
            )
            for split, size in (("dev", 37_350), ("test", 75_150))
        },
        "Pairs of sentences in fifteen languages.",
        TFDS,
    )
)  # fmt: skip


def XNLI(
    root: PathLike | None = None,
    split: str | tuple[str, ...] = ("dev", "test"),
    language: str | None = None,
) -> Any:
    """Pairs of sentences in fifteen languages: rows (language, label, premise, hypothesis).

    Labels are 0 entailment, 1 neutral, 2 contradiction. Training is on `MNLI`.

    Args:
        root: the file lies in `root/datasets/XNLI/`; by default it is fetched to the cache.
        split: "dev" or "test", or a tuple of both.
        language: take this one only, such as "sw".

    Returns:
        An `IterableDataset`, or a tuple of them.

    Raises:
        UnknownSplitError: there is no such split; UnknownNameError: no such language.

    Source: Conneau et al. 2018; address and hash as in TensorFlow Datasets.
    """
    if language is not None and language not in XNLI_LANGUAGES:
        raise UnknownNameError(
            f"XNLI: no language {language!r}; there are {', '.join(XNLI_LANGUAGES)}"
        )

    def make(one: str) -> IterableDataset:
        rows: IterableDataset = _XNLI_ALL(root, one)
        return rows if language is None else rows.filter(partial(_is_in, language))

    return split_or_splits("XNLI", split, ("dev", "test"), make)


XNLI.description = _XNLI_ALL.description  # type: ignore[attr-defined]


def _is_in(language: str, row: tuple[Any, ...]) -> bool:
    return bool(row[0] == language)


# Loader of each task, and the names of the cells of its rows.
TASKS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "cola": (CoLA, ("source", "label", "sentence")),
    "mnli": (MNLI, ("label", "premise", "hypothesis")),
    "mrpc": (MRPC, ("label", "sentence1", "sentence2")),
    "qnli": (QNLI, ("label", "question", "sentence")),
    "qqp": (QQP, ("label", "question1", "question2")),
    "rte": (RTE, ("label", "sentence1", "sentence2")),
    "sst2": (SST2, ("sentence", "label")),
    "stsb": (STSB, ("idx", "label", "sentence1", "sentence2")),
    "wnli": (WNLI, ("label", "sentence1", "sentence2")),
}


def GLUE(
    task: str, root: PathLike | None = None, split: str | tuple[str, ...] | None = None
) -> Any:
    """A task of GLUE, in rows that are dicts with "label" and the names Hugging Face gives texts.

    Args:
        task: "cola", "mnli", "mrpc", "qnli", "qqp", "rte", "sst2", "stsb" or "wnli".
        root: files lie in `root/datasets/<NAME>/`; by default they are fetched to the cache.
        split: as of the task's own loader, such as "train" or ("train", "dev"); default all.

    Returns:
        An `IterableDataset`, or a tuple of them. Where a test split has no labels, rows have none.

    Raises:
        UnknownNameError: no such task; UnknownSplitError: no such split.

    Source: Wang et al. 2018; files as of the single loaders, CoLA's and QQP's as first published.
    """
    if task not in TASKS:
        raise UnknownNameError(f"GLUE: no task {task!r}; there are {', '.join(TASKS)}")
    load, names = TASKS[task]
    valid = load.description.splits

    def make(one: str) -> IterableDataset:
        rows: IterableDataset = load(root) if task == "qqp" else load(root, one)
        return rows.map(partial(_named, names))

    return split_or_splits(f"GLUE {task}", tuple(valid) if split is None else split, valid, make)


def _named(names: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    bare = names if len(row) == len(names) else [name for name in names if name != "label"]
    return dict(zip(bare, row, strict=True))
