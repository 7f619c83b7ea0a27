"""The pipelines that torchtext's RoBERTa and XLM-R models were trained with."""

from __future__ import annotations

from ..utils import get_asset_local_path
from ..vocab import Vocab, read_torch_vocab
from .basic import AddToken, Sequential, Truncate, VocabTransform
from .byte_pairs import GPT2BPETokenizer
from .pieces import SentencePieceTokenizer

__all__ = ["roberta_transform", "xlmr_transform"]

BUCKET = "https://download.pytorch.org/models/text/"
BOS, EOS = 0, 2  # ids in both vocabularies; 1 is padding


def roberta_transform(
    truncate_length: int,
    *,
    encoder_json_path: str = f"{BUCKET}gpt2_bpe_encoder.json",
    vocab_bpe_path: str = f"{BUCKET}gpt2_bpe_vocab.bpe",
    vocab_path: str = f"{BUCKET}roberta.vocab.pt",
) -> Sequential:
    """Texts to ids for RoBERTa: GPT-2's pieces, RoBERTa's numbers, a token at both ends.

    Args:
        truncate_length: most ids of a text, without the two at the ends; 254 or 510 as trained.
        encoder_json_path: path or address of GPT-2's table.
        vocab_bpe_path: path or address of GPT-2's merges.
        vocab_path: path or address of RoBERTa's vocabulary, as torchtext saved it.
    """
    pieces = GPT2BPETokenizer(encoder_json_path, vocab_bpe_path)
    return _ended(pieces, read_torch_vocab(get_asset_local_path(vocab_path)), truncate_length)


def xlmr_transform(
    truncate_length: int, *, sp_model_path: str = f"{BUCKET}xlmr.sentencepiece.bpe.model"
) -> Sequential:
    """Texts to ids for XLM-R: sentencepiece's pieces, XLM-R's numbers, a token at both ends.

    Args:
        truncate_length: most ids of a text, without the two at the ends; 254 or 510 as trained.
        sp_model_path: path or address of the sentencepiece model.

    Source: XLM-R's vocabulary is "<s> <pad> </s> <unk>", the pieces of the model behind its own
    three special ones, and "<mask>" (Conneau et al. 2020, as fairseq numbers them).
    """
    pieces = SentencePieceTokenizer(sp_model_path)
    model = pieces.sp_model
    tokens = [model.id_to_piece(i) for i in range(3, model.get_piece_size())]
    vocab = Vocab(["<s>", "<pad>", "</s>", "<unk>", *tokens, "<mask>"], default_index=3)
    return _ended(pieces, vocab, truncate_length)


def _ended(
    pieces: GPT2BPETokenizer | SentencePieceTokenizer, vocab: Vocab, length: int
) -> Sequential:
    return Sequential(
        pieces,
        VocabTransform(vocab),
        Truncate(length),
        AddToken(BOS, begin=True),
        AddToken(EOS, begin=False),
    )
