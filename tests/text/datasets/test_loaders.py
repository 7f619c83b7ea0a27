"""Every published data set on tiny files of its layout.

Whole and twice, fetched to a folder, missing, damaged, wrong split, malformed.
"""

import hashlib
import io
import json
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import triptych_text.datasets as datasets
from triptych.errors import FileFormatError
from triptych_datasets import FetchError, HashMismatch
from triptych_text.datasets import UnknownSplitError

pytestmark = pytest.mark.filterwarnings("ignore::triptych_datasets.UnverifiedWarning")


@dataclass
class Row:
    """A data set, its files, and the rows of each split."""

    name: str
    files: Callable[[Any, dict[str, bytes]], dict[str, bytes]]  # of the packers, and of the parts
    parts: dict[str, bytes]  # what is in the files, by name
    rows: dict[str, list[Any]]
    bad: dict[str, tuple[bytes, str]] = field(default_factory=dict)  # part: content, error
    kwargs: dict[str, Any] = field(default_factory=dict)
    args: tuple[Any, ...] = ()
    wrong: dict[str, Any] = field(default_factory=lambda: {"split": "nowhere"})
    folder: str = ""
    unhashed: bool = False

    def load(self, root=None, **more):
        if self.rows.keys() != {""}:
            more = {"split": tuple(self.rows), **more}
        data = getattr(datasets, self.name)(*self.args, root=root, **{**self.kwargs, **more})
        return data if isinstance(data, tuple) else (data,)

    def read(self):
        return [list(data) for data in self.load()]

    @property
    def packed(self):
        return self.files is not plain and self.name != "FineWeb"

    @property
    def id(self):
        return "-".join([self.name, *map(str, self.args)])


def plain(pack, parts):
    return parts


def in_zip(name):
    return lambda pack, parts: {name: pack.zipped(parts)}


def in_tar(name, **options):
    return lambda pack, parts: {name: pack.tar(parts, **options)}


def text(*lines):
    return "".join(f"{line}\n" for line in lines).encode()


def zhang(name, folder):
    parts = {
        f"{folder}/train.csv": text('"3","Title","He said ""1"""', '"1","Two","lines\\n"'),
        f"{folder}/test.csv": text('"2","a","b"'),
        f"{folder}/readme.txt": b"x",
    }
    rows = {"train": [(3, 'Title He said "1"'), (1, "Two lines\\n")], "test": [(2, "a b")]}
    bad = {f"{folder}/test.csv": (text('"2","a","b"', '"x","a","b"'), "test.csv, line 2")}
    return Row(name, in_tar(f"{folder}.tar.gz"), parts, rows, bad)


def glue_task(name, archive, first, label):
    head = text("index\ta\tb\tlabel")
    parts = {
        f"{name}/train.tsv": head + text(f"0\tA\tB\t{first}"),
        f"{name}/dev.tsv": head + text(f"7\tC\tD\t{first}"),
        f"{name}/test.tsv": head + text("0\tE\tF"),
    }
    rows = {"train": [(label, "A", "B")], "dev": [(label, "C", "D")], "test": [("E", "F")]}
    bad = {f"{name}/train.tsv": (head + text("0\tA\tB\tnothing"), "train.tsv, line 2")}
    return Row(name, in_zip(f"{archive}.zip"), parts, rows, bad)


def wikitext(number):
    base = f"wikitext-{number}/wiki"
    parts = {
        f"{base}.{split}.tokens": text(" ", f" = {split} = ")
        for split in ("train", "valid", "test")
    }
    rows = {split: [" \n", f" = {split} = \n"] for split in ("train", "valid", "test")}
    bad = {f"{base}.valid.tokens": (b"fine\n\xff\n", "after line")}
    return Row(f"WikiText{number}", in_zip(f"wikitext-{number}-v1.zip"), parts, rows, bad)


def squad(version, name):
    answered = {"question": "Who?", "answers": [{"text": "He", "answer_start": 3}]}
    open_ = {"question": "Why?", "answers": []}
    content = {"data": [{"paragraphs": [{"context": "It's He", "qas": [answered, open_]}]}]}
    broken = {"data": [{"paragraphs": [{"context": "c", "qas": [answered, {"question": "?"}]}]}]}
    train, dev = f"train-{name}.json", f"dev-{name}.json"
    rows = [("It's He", "Who?", ["He"], [3]), ("It's He", "Why?", [""], [-1])]
    raw = json.dumps(content).encode()
    bad = {train: (json.dumps(broken).encode(), "question 2"), dev: (b"{]", "no JSON")}
    return Row(f"SQuAD{version}", plain, {train: raw, dev: raw}, {"train": rows, "dev": rows}, bad)


def story_name(url):
    return hashlib.sha1(url.encode()).hexdigest() + ".story"


def cnndm(pack, parts):
    stories = {
        paper: {f"{paper}/stories/{story_name(url)}": parts[url] for url in parts if paper in url}
        for paper in ("cnn", "dailymail")
    }
    lists = {}
    for paper in stories:
        for split, word in (("train", "training"), ("val", "validation"), ("test", "test")):
            urls = [url for url in parts if paper in url and url.endswith(split)]
            lists[f"{paper}_wayback_{word}_urls.txt"] = text(*urls)
    return {
        **lists,
        **{f"{paper}_stories.tgz": pack.tar(files) for paper, files in stories.items()},
    }


def xsum(pack, parts):
    named = {f"bbc-summary-data/{n}.summary": c for n, c in parts.items() if n.isdigit()}
    lists = {"train": ["1"], "validation": ["2"], "test": ["3"]}
    return {
        "XSUM-EMNLP18-Summary-Data-Original.tar.gz": pack.tar(named),
        "XSum-TRAINING-DEV-TEST-SPLIT-90-5-5.json": json.dumps(lists).encode(),
    }


def article(summary, *body):
    return text("[SN]URL[SN]", "http://x", "", "[SN]TITLE[SN]", "T", "", "[SN]FIRST-SENTENCE[SN]",
                summary, "", "[SN]RESTBODY[SN]", "Share this with", *body)  # fmt: skip


def iwslt(name, year, archive, inner, sets, pair=("de", "en")):
    direction = "-".join(pair)

    def files(pack, parts):
        nested = {f"{direction}/{part}": content for part, content in parts.items()}
        junk = {f"{inner.rpartition('/')[0]}/._{inner.rpartition('/')[2]}": b"junk"}
        return {archive: pack.tar({**junk, inner: pack.tar(nested)})}

    def xml(*lines):
        body = [f'<seg id="{i}"> {line} </seg>' for i, line in enumerate(lines, 1)]
        return text('<mteval><refset><doc docid="1">', *body, "</doc></refset></mteval>")

    train = f"train.tags.{direction}"
    dev, eva = (f"IWSLT{year}.TED.{one}.{direction}" for one in sets)
    source, target = pair
    parts = {
        f"{train}.{source}": text("<url>http</url>", " Guten Tag. ", "Zwei & drei"),
        f"{train}.{target}": text("<title>t</title>", "Good day.", "Two & three"),
        f"{dev}.{source}.xml": xml("Eins", "a &lt; b"),
        f"{dev}.{target}.xml": xml("One", "a &lt; b"),
        f"{eva}.{source}.xml": xml("Ende"),
        f"{eva}.{target}.xml": xml("The", "end"),
    }
    whole = {**parts, f"{eva}.{target}.xml": xml("End")}
    rows = {
        "train": [("Guten Tag.\n", "Good day.\n"), ("Zwei & drei\n", "Two & three\n")],
        "valid": [("Eins\n", "One\n"), ("a < b\n", "a < b\n")],
        "test": [("Ende\n", "End\n")],
    }
    bad = {
        f"{eva}.{target}.xml": (parts[f"{eva}.{target}.xml"], "differ in length"),
        f"{dev}.{source}.xml": (text("<seg>Eins", "zwei"), "without an end"),
    }
    return Row(name, files, whole, rows, bad)


def wmt(pack, parts):
    def archive(*names):
        return pack.tar({n: c for n, c in parts.items() if n.startswith(names)})

    return {
        "training-parallel-europarl-v7.tgz": archive("training/europarl"),
        "training-parallel-commoncrawl.tgz": archive("commoncrawl"),
        "training-parallel-nc-v9.tgz": archive("training/news"),
        "dev.tgz": archive("dev/"),
    }


def xnli(language, label, a, b):
    return json.dumps({"language": language, "gold_label": label, "sentence1": a, "sentence2": b})


def parquet(pack, parts):
    arrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    out = io.BytesIO()
    rows = [json.loads(line) for line in parts["000_00000.parquet"].splitlines()]
    arrow.parquet.write_table(arrow.Table.from_pylist(rows), out) if rows else out.write(b"PAR1")
    return {"000_00000.parquet": out.getvalue()}


NLI_HEAD = text("gold_label\tb1\tb2\tp1\tp2\tsentence1\tsentence2\tid")
AG = {"train.csv": text('"1","A ""q""","x, y"', '"4","B","z"'), "test.csv": text('"2","C","w"')}

ROWS = [
    Row("AG_NEWS", plain, AG, {"train": [(1, 'A "q" x, y'), (4, "B z")], "test": [(2, "C w")]},
        {"train.csv": (text('"1","A","x"', '"7"'), "train.csv, line 2")}),
    zhang("AmazonReviewFull", "amazon_review_full_csv"),
    zhang("AmazonReviewPolarity", "amazon_review_polarity_csv"),
    zhang("DBpedia", "dbpedia_csv"),
    zhang("SogouNews", "sogou_news_csv"),
    zhang("YahooAnswers", "yahoo_answers_csv"),
    zhang("YelpReviewFull", "yelp_review_full_csv"),
    zhang("YelpReviewPolarity", "yelp_review_polarity_csv"),
    Row("IMDB", in_tar("aclImdb_v1.tar.gz"), {
            "aclImdb/imdb.vocab": b"the\n", "aclImdb/test/neg/0_2.txt": b"Bad.<br />",
            "aclImdb/test/pos/1_9.txt": b"Fine.",
            "aclImdb/train/neg/5_1.txt": "Schlecht é".encode(),
            "aclImdb/train/pos/6_8.txt": b"Good.\n", "aclImdb/train/unsup/7_0.txt": b"Hm."},
        {"train": [(1, "Schlecht é"), (2, "Good.")], "test": [(1, "Bad.<br />"), (2, "Fine.")]},
        {"aclImdb/test/pos/1_9.txt": (b"\xff\xfe", "1_9.txt: no text in UTF-8")}),
    Row("SST2", in_zip("SST-2.zip"), {
            "SST-2/original/train.tsv": b"x",
            "SST-2/train.tsv": text("sentence\tlabel", "a gem \t1"),
            "SST-2/dev.tsv": text("sentence\tlabel", '"" it "" drags\t0'),
            "SST-2/test.tsv": text("index\tsentence", "0\t so so ")},
        {"train": [("a gem", 1)], "dev": [("it \"\" drags", 0)], "test": [("so so",)]},
        {"SST-2/dev.tsv": (text("sentence\tlabel", "a\t1", "b"), "dev.tsv, line 3")}),
    wikitext(2), wikitext(103),
    Row("PennTreebank", plain,
        {f"ptb.{s}.txt": text(f" the {s} <unk> ", " N ") for s in ("train", "valid", "test")},
        {s: [f"the {s} <unk>", "N"] for s in ("train", "valid", "test")},
        {"ptb.test.txt": (b"\xff", "ptb.test.txt")}),
    Row("EnWik9", in_zip("enwik9.zip"), {"enwik9": text("<page>", "", "x")},
        {"": ["<page>", "", "x"]}, {"enwik9": (b"\xff", "enwik9")}, wrong={}),
    Row("CC100", lambda pack, parts: {n: pack.by["xz"](c) for n, c in parts.items()},
        {"sw.txt.xz": text("Habari", "", "Ndio")},
        {"": [("sw", "Habari"), ("sw", ""), ("sw", "Ndio")]}, {"sw.txt.xz": (b"\xff", "sw.txt.xz")},
        {"language_code": "sw"}, wrong={"language_code": "xx"}, unhashed=True),
    Row("TinyShakespeare", plain, {"input.txt": text("First Citizen:", "", "Speak.")},
        {"train": ["First Citizen:\n", "\n", "Speak.\n"]}, {"input.txt": (b"\xff", "input.txt")}),
    Row("TinyStories", plain, {
            "TinyStoriesV2-GPT4-train.txt": text("", "Once", "", "there.", "<|endoftext|>", "Two"),
            "TinyStoriesV2-GPT4-valid.txt": text("A cat.", "<|endoftext|>")},
        {"train": ["Once\n\nthere.", "Two"], "valid": ["A cat."]},
        {"TinyStoriesV2-GPT4-valid.txt": (b"ok\n\xff", "valid.txt")}, unhashed=True),
    Row("OpenWebText", lambda pack, parts: {"openwebtext.tar.xz": pack.tar({
            "openwebtext/a_data.xz": pack.tar(parts, "w:xz")}, "w:xz")},
        {"1.txt": b"One\n\npage", "2.txt": b"Two"}, {"train": ["One\n\npage", "Two"]},
        {"2.txt": (b"\xff", "2.txt")}),
    Row("C4", lambda pack, parts: {n: pack.by["gz"](c) for n, c in parts.items()},
        {"en-c4-validation.00003-of-00008.json.gz": text('{"text": "Hi", "url": "u"}')},
        {"": ["Hi"]}, {"en-c4-validation.00003-of-00008.json.gz": (text('{"url": "u"}'), "line 1")},
        {"split": "validation", "shard": 3}, wrong={"shard": 8}, unhashed=True),
    Row("FineWeb", parquet, {"000_00000.parquet": b'{"text": "Hi", "url": "u"}'},
        {"": [{"text": "Hi", "url": "u"}]}, {"000_00000.parquet": (b"", "000_00000.parquet")},
        wrong={"shard": 15}, unhashed=True),
    Row("CoLA", in_zip("cola_public_1.1.zip"), {
            "cola_public/raw/in_domain_train.tsv": text("h\th\th\th",
                                                        "gj04\t1\t\tA \"q", "gj04\tx"),
            "cola_public/raw/in_domain_dev.tsv": text("h\th\th\th", "gj04\t0\t*\tB"),
            "cola_public/raw/out_of_domain_dev.tsv": text("h\th\th\th", "c\t1\t\tC")},
        {"train": [("gj04", 1, 'A "q')], "dev": [("gj04", 0, "B")], "test": [("c", 1, "C")]},
        {"cola_public/raw/in_domain_dev.tsv": (text("h", "a\tb\tc\td"), "dev.tsv, line 2")}),
    Row("MNLI", in_zip("multinli_1.0.zip"), {
            "__MACOSX/multinli_1.0/._multinli_1.0_train.txt": b"junk",
            "multinli_1.0/multinli_1.0_train.txt": NLI_HEAD
            + text("neutral\t\t\t\t\tA\tB\t1", "-\t\t\t\t\tA\tB\t1"),
            "multinli_1.0/multinli_1.0_dev_matched.txt": NLI_HEAD
            + text("entailment\t\t\t\t\tC\tD\t1"),
            "multinli_1.0/multinli_1.0_dev_mismatched.txt": NLI_HEAD
            + text("contradiction\t\t\t\t\tE\tF\t1")},
        {"train": [(1, "A", "B")], "dev_matched": [(0, "C", "D")],
         "dev_mismatched": [(2, "E", "F")]},
        {"multinli_1.0/multinli_1.0_dev_matched.txt": (NLI_HEAD + text("neutral\t"), "line 2")}),
    Row("SNLI", in_zip("snli_1.0.zip"), {
            f"snli_1.0/snli_1.0_{s}.txt": NLI_HEAD + text(f"neutral\t\t\t\t\t{s}\tB\t1")
            for s in ("train", "dev", "test")},
        {s: [(1, s, "B")] for s in ("train", "dev", "test")},
        {"snli_1.0/snli_1.0_dev.txt": (NLI_HEAD + text("neutral\t"), "dev.txt, line 2")}),
    Row("MRPC", plain, {
            "msr_paraphrase_train.txt": text("Q\t1\t2\ts\ts", '1\t7\t8\tA "\tB'),
            "msr_paraphrase_test.txt": text("Q\t1\t2\ts\ts", "0\t7\t8\tC\tD")},
        {"train": [(1, 'A "', "B")], "test": [(0, "C", "D")]},
        {"msr_paraphrase_test.txt": (text("Q", "0\t7\t8\tC"), "test.txt, line 2")}),
    glue_task("QNLI", "QNLIv2", "not_entailment", 1),
    glue_task("RTE", "RTE", "not_entailment", 1),
    glue_task("WNLI", "WNLI", "1", 1),
    Row("STSB", in_tar("Stsbenchmark.tar.gz"), {
            f"stsbenchmark/sts-{s}.csv": text(f"main\tf\t2012\t0001\t4.2\t{s}\tB\textra")
            for s in ("train", "dev", "test")},
        {s: [(1, 4.2, s, "B")] for s in ("train", "dev", "test")},
        {"stsbenchmark/sts-test.csv": (text("main\tf\t2012\tx\t4\ta\tb"), "test.csv, line 1")}),
    Row("QQP", plain, {"quora_duplicate_questions.tsv": text(
            "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", '0\t1\t2\tA?\t"B', 'C?"\t1')},
        {"": [(1, "A?", "B\nC?")]},
        {"quora_duplicate_questions.tsv": (text("h", "0\t1\t2\tA"), "tsv, line 2")}, wrong={}),
    Row("XNLI", in_zip("XNLI-1.0.zip"), {
            "XNLI-1.0/xnli.dev.jsonl": text(xnli("ar", "neutral", "A", "B"),
                                            xnli("sw", "entailment", "C", "D")),
            "XNLI-1.0/xnli.test.jsonl": text(xnli("sw", "contradiction", "E", "F"))},
        {"dev": [("sw", 0, "C", "D")], "test": [("sw", 2, "E", "F")]},
        {"XNLI-1.0/xnli.test.jsonl": (text("{}"), "test.jsonl, line 1")}, {"language": "sw"}),
    Row("GLUE", in_zip("RTE.zip"), glue_task("RTE", "RTE", "entailment", 0).parts, {
            "train": [{"label": 0, "sentence1": "A", "sentence2": "B"}],
            "test": [{"sentence1": "E", "sentence2": "F"}]}, args=("rte",), folder="RTE"),
    Row("GLUE", plain, {"quora_duplicate_questions.tsv": text(
            "h", "0\t1\t2\tA?\tB?\t0")},
        {"train": [{"label": 0, "question1": "A?", "question2": "B?"}]}, args=("qqp",),
        folder="QQP"),
    Row("SuperGLUE", in_zip("CB.zip"), {
            f"CB/{s}.jsonl": text(json.dumps({"premise": s, "idx": 0}))
            for s in ("train", "val", "test")},
        {s: [{"premise": s, "idx": 0}] for s in ("train", "val", "test")},
        {"CB/val.jsonl": (text("[1]"), "val.jsonl, line 1")}, args=("cb",)),
    squad(1, "v1.1"), squad(2, "v2.0"),
    Row("CoNLL2000Chunking", lambda pack, parts: {n: pack.by["gz"](c) for n, c in parts.items()},
        {"train.txt.gz": text("He PRP B-NP", "ran VBD B-VP", "", "", "No UH B-INTJ"),
         "test.txt.gz": text("A DT B-NP", "")},
        {"train": [[["He", "ran"], ["PRP", "VBD"], ["B-NP", "B-VP"]], [["No"], ["UH"], ["B-INTJ"]]],
         "test": [[["A"], ["DT"], ["B-NP"]]]},
        {"test.txt.gz": (text("A DT B-NP", "B DT", ""), "test.txt.gz, line 3")}),
    Row("UDPOS", in_zip("en-ud-v2.zip"), {
            f"en-ud-v2/en-ud-tag.v2.{s}.txt": text("A\tDET\tDT", f"{s}\tNOUN\tNN", "")
            for s in ("train", "dev", "test")},
        {s: [[["A", n], ["DET", "NOUN"], ["DT", "NN"]]]
         for s, n in (("train", "train"), ("valid", "dev"), ("test", "test"))},
        {"en-ud-v2/en-ud-tag.v2.dev.txt": (text("A\tDET", "b"), "dev.txt, line 2")}),
    Row("CoNLL2003", in_zip("conll2003.zip"), {
            f"{s}.txt": text("-DOCSTART- -X- -X- O", "", f"{s} NNP B-NP B-ORG", "")
            for s in ("train", "valid", "test")},
        {s: [[[s], ["NNP"], ["B-NP"], ["B-ORG"]]] for s in ("train", "valid", "test")},
        {"valid.txt": (text("EU NNP B-NP"), "valid.txt, line 1")}),
    Row("CNNDM", cnndm, {
            "http://cnn/1train": text("Start", "", 'It "ends"', "@highlight", "", "Short"),
            "http://cnn/2train": text("Only.", "@highlight", "One.", "@highlight", "Two"),
            "http://dailymail/1train": text("Mail."), "http://dailymail/2val": text("Val"),
            "http://cnn/3test": text("Test"), "http://cnn/4val": text("More!"),
            "http://dailymail/5test": text("Last?")},
        {"train": [('Start . It "ends"', "Short ."), ("Only.", "One. Two ."), ("Mail.", "")],
         "val": [("More!", ""), ("Val .", "")], "test": [("Test .", ""), ("Last?", "")]},
        {"http://dailymail/1train": (b"\xff", ".story: no text in UTF-8")}),
    Row("XSum", xsum, {"1": article("Short.", "Long", "text."), "2": article("S", "B"),
            "3": article("Z", "Y")},
        {"train": [("Long\ntext.", "Short.")], "validation": [("B", "S")], "test": [("Y", "Z")]},
        {"2": (b"[SN]URL[SN]\nx\n", "2.summary, line 1")}, unhashed=True),
    Row("Alpaca", plain, {"alpaca_data.json": json.dumps(
            [{"instruction": "Do", "input": "", "output": "Done"}]).encode()},
        {"train": [("Do", "", "Done")]},
        {"alpaca_data.json": (b'[{"instruction": "Do", "input": 1}]', "entry 1")}, unhashed=True),
    Row("Multi30k", lambda pack, parts: {
            f"{a}.tar.gz": pack.tar({n: c for n, c in parts.items() if p in n})
            for a, p in (("training", "train"), ("validation", "val"),
                         ("mmt16_task1_test", "test"))},
        {"train.de": text("Ein Hund", "Zwei"), "train.en": text("A dog", "Two"),
         "val.de": text("V"), "val.en": text("W"), "./test.de": text("T"), "./test.en": text("U"),
         "./._test.de": b"\xff"},
        {"train": [("A dog", "Ein Hund"), ("Two", "Zwei")], "valid": [("W", "V")],
         "test": [("U", "T")]},
        {"val.de": (text("V", "X"), "differ in length, after")}, {"language_pair": ("en", "de")},
        ),
    iwslt("IWSLT2016", 16, "2016-01.tgz", "2016-01/texts/de/en/de-en.tgz", ("tst2013", "tst2014")),
    iwslt("IWSLT2017", 17, "2017-01-trnmted.tgz",
          "2017-01-trnmted/texts/DeEnItNlRo/DeEnItNlRo/DeEnItNlRo-DeEnItNlRo.tgz",
          ("dev2010", "tst2010")),
    Row("WMT14", wmt, {
            "training/europarl-v7.de-en.de": text("E"), "training/europarl-v7.de-en.en": text("e"),
            "commoncrawl.de-en.de": text("C\rC"), "commoncrawl.de-en.en": text("c"),
            "training/news-commentary-v9.de-en.de": text("N"),
            "training/news-commentary-v9.de-en.en": text("n"),
            "dev/newstest2013.de": text("V"), "dev/newstest2013.en": text("v"),
            "dev/newstest2014-deen-src.de.sgm": text('<doc>', '<seg id="1">T', "&amp; U</seg>"),
            "dev/newstest2014-deen-ref.en.sgm": text('<seg id="1">t &amp; u</seg>')},
        {"train": [("E", "e"), ("C\rC", "c"), ("N", "n")], "valid": [("V", "v")],
         "test": [("T\n& U", "t & u")]},
        {"dev/newstest2013.de": (text("V", "W"), "differ in length")}),
]  # fmt: skip

EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)


def test_every_loader_has_a_row():
    assert {row.name for row in ROWS} == set(datasets.DATASETS)


@EACH
def test_gives_the_rows_again_and_again(row, publisher, pack):
    publisher.files = row.files(pack, row.parts)
    for expected, data in zip(row.rows.values(), row.load(), strict=True):
        assert list(data) == expected
        assert list(pickle.loads(pickle.dumps(data))) == expected
    hashed = [name for name, (_, digest) in publisher.asked.items() if digest]
    unhashed = [name for name in publisher.asked if name not in hashed]
    assert unhashed == [] or row.unhashed or row.name == "CNNDM"
    assert hashed == [] or not row.unhashed


@EACH
def test_puts_files_where_the_user_says(row, publisher, pack, tmp_path):
    publisher.files = row.files(pack, row.parts)
    row.load(tmp_path / "root")
    folder = tmp_path / "root" / "datasets" / (row.folder or row.name)
    assert {path.name for path in folder.iterdir()} == set(publisher.asked)
    publisher.files = dict.fromkeys(publisher.files, b"gone")
    row.load(tmp_path / "root") if row.unhashed else None  # what is there is not fetched again


@EACH
def test_says_what_to_fetch_when_files_lack(row, publisher, tmp_path):
    with pytest.raises(FetchError, match=f"put it at {re.escape(str(tmp_path))}"):
        row.load(tmp_path)


@pytest.mark.parametrize("row", [row for row in ROWS if not row.unhashed], ids=lambda row: row.id)
def test_refuses_files_with_another_hash(row, publisher, pack):
    publisher.files, publisher.corrupt = row.files(pack, row.parts), True
    with pytest.raises(HashMismatch):
        row.load()


@pytest.mark.parametrize("row", [row for row in ROWS if row.wrong], ids=lambda row: row.id)
def test_lists_what_there_is(row, publisher, pack):
    publisher.files = row.files(pack, row.parts)
    with pytest.raises(UnknownSplitError, match=r"there are|wanted") as caught:
        row.load(**row.wrong)
    assert isinstance(caught.value, TypeError) and isinstance(caught.value, ValueError)
    assert all(split in str(caught.value) for split in row.rows)


@pytest.mark.parametrize(
    ("row", "part"),
    [pytest.param(row, part, id=f"{row.id}-{part}") for row in ROWS for part in row.bad],
)
def test_names_the_place_of_what_is_malformed(row, part, publisher, pack):
    content, told = row.bad[part]
    publisher.files = row.files(pack, {**row.parts, part: content})
    with pytest.raises(FileFormatError, match=re.escape(told)):
        row.read()


@pytest.mark.parametrize("row", [row for row in ROWS if row.packed], ids=lambda row: row.id)
def test_damaged_archives_are_an_error(row, publisher, pack):
    files = row.files(pack, row.parts)
    packed = {n: c[: len(c) // 2] for n, c in files.items() if n.endswith(("gz", "xz", "zip"))}
    assert packed
    publisher.files = {**files, **packed}
    with pytest.raises(FileFormatError, match="|".join(map(re.escape, packed))):
        row.read()


@EACH
def test_is_documented(row):
    documentation = getattr(datasets, row.name).__doc__
    assert all(part in documentation for part in ("Args:", "Returns:", "Source:", "root:"))


def test_one_split_gives_one_data_set(publisher):
    publisher.files = AG
    test = datasets.AG_NEWS(split="test")
    assert isinstance(test, datasets.IterableDataset)
    assert test.num_rows == datasets.NUM_LINES["AG_NEWS"]["test"] == 7600
    assert [len(data.to_map_style()) for data in datasets.AG_NEWS()] == [2, 1]
    assert datasets.AG_NEWS(split="train").to_map_style()[1] == (4, "B z")


def test_a_member_that_lacks_is_an_error(publisher, pack):
    publisher.files = {"SST-2.zip": pack.zipped({"SST-2/dev.tsv": b"x\n"})}
    with pytest.raises(FileFormatError, match="holds no"):
        list(datasets.SST2(split="train"))
    publisher.files = {"2016-01.tgz": pack.tar({"x": b""})}
    with pytest.raises(FileFormatError, match=r"IWSLT2016.*holds no train.tags"):
        list(datasets.IWSLT2016(split="train"))


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: datasets.GLUE("sst"), KeyError, "sst2"),
        (lambda: datasets.SuperGLUE("glue"), KeyError, "boolq"),
        (lambda: datasets.XNLI(language="nl"), KeyError, "vi, zh"),
        (lambda: datasets.Multi30k(language_pair=("de", "fr")), ValueError, "de to en"),
        (lambda: datasets.IWSLT2016(language_pair="de"), ValueError, "en to ar"),
        (lambda: datasets.IWSLT2016(language_pair=("cs", "en")), ValueError, "test_set for cs-en"),
        (lambda: datasets.IWSLT2016(valid_set="tst2020"), ValueError, "valid_set"),
        (lambda: datasets.IWSLT2017(language_pair=("de", "de")), ValueError, "de to en, it"),
        (lambda: datasets.C4(variant="xx"), ValueError, "realnewslike"),
        (lambda: datasets.IMDB(split=3), TypeError, "IMDB: wanted a split's name or a tuple"),
        (lambda: datasets.CNNDM(split=None), ValueError, "CNNDM: wanted a split's name"),
    ],
)  # fmt: skip
def test_arguments_are_checked_before_anything_is_fetched(call, error, told):
    with pytest.raises(error, match=told):
        call()


def test_lists_that_are_no_lists(publisher, pack):
    publisher.files = {"alpaca_data.json": b"{}"}
    with pytest.raises(FileFormatError, match="a list of objects"):
        list(datasets.Alpaca())
    publisher.files = {"XSum-TRAINING-DEV-TEST-SPLIT-90-5-5.json": b"[]"}
    with pytest.raises(FileFormatError, match="an object with 'train'"):
        datasets.XSum(split="train")
    publisher.files = {"train-v1.1.json": b'{"data": 1}'}
    with pytest.raises(FileFormatError, match="articles with paragraphs"):
        list(datasets.SQuAD1(split="train"))
