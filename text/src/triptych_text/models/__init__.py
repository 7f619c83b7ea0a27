"""Language models: built from settings, or pretrained from a folder or by name.

Classes such as `BertModel` load when first used; `architectures.ARCHITECTURES` lists them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .architectures import ARCHITECTURES, find_architecture, from_config
from .base import PretrainedModel
from .cache import KeyValueCache
from .generative import GenerativeModel
from .loading import from_pretrained

if TYPE_CHECKING:
    from .bart import (
        BartConfig,
        BartForConditionalGeneration,
        BartForSequenceClassification,
        BartModel,
    )
    from .bert import BertConfig, BertModel
    from .bert_heads import (
        BertForMaskedLM,
        BertForMultipleChoice,
        BertForNextSentencePrediction,
        BertForPreTraining,
        BertForQuestionAnswering,
        BertForSequenceClassification,
        BertForTokenClassification,
    )
    from .clip import (
        CLIPConfig,
        CLIPModel,
        CLIPTextConfig,
        CLIPTextModel,
        CLIPTextModelWithProjection,
        CLIPVisionConfig,
        CLIPVisionModel,
    )
    from .deberta_v2 import DebertaV2Config, DebertaV2Model
    from .deberta_v2_heads import (
        DebertaV2ForMaskedLM,
        DebertaV2ForMultipleChoice,
        DebertaV2ForQuestionAnswering,
        DebertaV2ForSequenceClassification,
        DebertaV2ForTokenClassification,
    )
    from .distilbert import (
        DistilBertConfig,
        DistilBertForMaskedLM,
        DistilBertForMultipleChoice,
        DistilBertForQuestionAnswering,
        DistilBertForSequenceClassification,
        DistilBertForTokenClassification,
        DistilBertModel,
    )
    from .electra import ElectraConfig, ElectraModel
    from .electra_heads import (
        ElectraForMaskedLM,
        ElectraForMultipleChoice,
        ElectraForPreTraining,
        ElectraForQuestionAnswering,
        ElectraForSequenceClassification,
        ElectraForTokenClassification,
    )
    from .fasttext import FastTextClassifier
    from .g2p import G2P
    from .gemma2 import (
        Gemma2Config,
        Gemma2ForCausalLM,
        Gemma2ForSequenceClassification,
        Gemma2ForTokenClassification,
        Gemma2Model,
    )
    from .gpt2 import (
        GPT2Config,
        GPT2ForSequenceClassification,
        GPT2ForTokenClassification,
        GPT2LMHeadModel,
        GPT2Model,
    )
    from .llama import (
        LlamaConfig,
        LlamaForCausalLM,
        LlamaForSequenceClassification,
        LlamaForTokenClassification,
        LlamaModel,
    )
    from .marian import MarianConfig, MarianModel, MarianMTModel
    from .mbart import (
        MBartConfig,
        MBartForConditionalGeneration,
        MBartForSequenceClassification,
        MBartModel,
    )
    from .mistral import (
        MistralConfig,
        MistralForCausalLM,
        MistralForSequenceClassification,
        MistralForTokenClassification,
        MistralModel,
    )
    from .qwen2 import (
        Qwen2Config,
        Qwen2ForCausalLM,
        Qwen2ForSequenceClassification,
        Qwen2ForTokenClassification,
        Qwen2Model,
    )
    from .qwen3 import (
        Qwen3Config,
        Qwen3ForCausalLM,
        Qwen3ForSequenceClassification,
        Qwen3ForTokenClassification,
        Qwen3Model,
    )
    from .recurrent import GRUSeq2Seq, LSTMClassifier
    from .roberta import (
        RobertaConfig,
        RobertaForMaskedLM,
        RobertaForMultipleChoice,
        RobertaForQuestionAnswering,
        RobertaForSequenceClassification,
        RobertaForTokenClassification,
        RobertaModel,
        XLMRobertaConfig,
        XLMRobertaForMaskedLM,
        XLMRobertaForMultipleChoice,
        XLMRobertaForQuestionAnswering,
        XLMRobertaForSequenceClassification,
        XLMRobertaForTokenClassification,
        XLMRobertaModel,
    )
    from .roberta_bundle import RobertaBundle
    from .roberta_torchtext import (
        RobertaClassificationHead,
        RobertaEncoderConf,
        TorchtextRobertaModel,
    )
    from .t5 import T5Config, T5EncoderModel, T5ForConditionalGeneration, T5Model
    from .t5_bundle import T5Bundle, T5Transform
    from .t5_torchtext import T5Conf, TorchtextT5Model
    from .word2vec import Word2Vec, train_word2vec

if TYPE_CHECKING:
    ROBERTA_BASE_ENCODER: RobertaBundle
    ROBERTA_DISTILLED_ENCODER: RobertaBundle
    ROBERTA_LARGE_ENCODER: RobertaBundle
    XLMR_BASE_ENCODER: RobertaBundle
    XLMR_LARGE_ENCODER: RobertaBundle
    T5_SMALL: T5Bundle
    T5_SMALL_ENCODER: T5Bundle
    T5_SMALL_GENERATION: T5Bundle
    T5_BASE: T5Bundle
    T5_BASE_ENCODER: T5Bundle
    T5_BASE_GENERATION: T5Bundle
    T5_LARGE: T5Bundle
    T5_LARGE_ENCODER: T5Bundle
    T5_LARGE_GENERATION: T5Bundle
    T5_3B: T5Bundle
    T5_3B_ENCODER: T5Bundle
    T5_3B_GENERATION: T5Bundle
    T5_11B: T5Bundle
    T5_11B_ENCODER: T5Bundle
    T5_11B_GENERATION: T5Bundle
    FLAN_T5_BASE: T5Bundle
    FLAN_T5_BASE_ENCODER: T5Bundle
    FLAN_T5_BASE_GENERATION: T5Bundle
    FLAN_T5_LARGE: T5Bundle
    FLAN_T5_LARGE_ENCODER: T5Bundle
    FLAN_T5_LARGE_GENERATION: T5Bundle
    FLAN_T5_XL: T5Bundle
    FLAN_T5_XL_ENCODER: T5Bundle
    FLAN_T5_XL_GENERATION: T5Bundle
    FLAN_T5_XXL: T5Bundle
    FLAN_T5_XXL_ENCODER: T5Bundle
    FLAN_T5_XXL_GENERATION: T5Bundle

__all__ = [
    "ARCHITECTURES",
    "BartConfig",
    "BartForConditionalGeneration",
    "BartForSequenceClassification",
    "BartModel",
    "BertConfig",
    "BertForMaskedLM",
    "BertForMultipleChoice",
    "BertForNextSentencePrediction",
    "BertForPreTraining",
    "BertForQuestionAnswering",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertModel",
    "CLIPConfig",
    "CLIPModel",
    "CLIPTextConfig",
    "CLIPTextModel",
    "CLIPTextModelWithProjection",
    "CLIPVisionConfig",
    "CLIPVisionModel",
    "DebertaV2Config",
    "DebertaV2ForMaskedLM",
    "DebertaV2ForMultipleChoice",
    "DebertaV2ForQuestionAnswering",
    "DebertaV2ForSequenceClassification",
    "DebertaV2ForTokenClassification",
    "DebertaV2Model",
    "DistilBertConfig",
    "DistilBertForMaskedLM",
    "DistilBertForMultipleChoice",
    "DistilBertForQuestionAnswering",
    "DistilBertForSequenceClassification",
    "DistilBertForTokenClassification",
    "DistilBertModel",
    "ElectraConfig",
    "ElectraForMaskedLM",
    "ElectraForMultipleChoice",
    "ElectraForPreTraining",
    "ElectraForQuestionAnswering",
    "ElectraForSequenceClassification",
    "ElectraForTokenClassification",
    "ElectraModel",
    "FLAN_T5_BASE",
    "FLAN_T5_BASE_ENCODER",
    "FLAN_T5_BASE_GENERATION",
    "FLAN_T5_LARGE",
    "FLAN_T5_LARGE_ENCODER",
    "FLAN_T5_LARGE_GENERATION",
    "FLAN_T5_XL",
    "FLAN_T5_XL_ENCODER",
    "FLAN_T5_XL_GENERATION",
    "FLAN_T5_XXL",
    "FLAN_T5_XXL_ENCODER",
    "FLAN_T5_XXL_GENERATION",
    "FastTextClassifier",
    "G2P",
    "GPT2Config",
    "GPT2ForSequenceClassification",
    "GPT2ForTokenClassification",
    "GPT2LMHeadModel",
    "GPT2Model",
    "GRUSeq2Seq",
    "Gemma2Config",
    "Gemma2ForCausalLM",
    "Gemma2ForSequenceClassification",
    "Gemma2ForTokenClassification",
    "Gemma2Model",
    "GenerativeModel",
    "KeyValueCache",
    "LSTMClassifier",
    "LlamaConfig",
    "LlamaForCausalLM",
    "LlamaForSequenceClassification",
    "LlamaForTokenClassification",
    "LlamaModel",
    "MBartConfig",
    "MBartForConditionalGeneration",
    "MBartForSequenceClassification",
    "MBartModel",
    "MarianConfig",
    "MarianMTModel",
    "MarianModel",
    "MistralConfig",
    "MistralForCausalLM",
    "MistralForSequenceClassification",
    "MistralForTokenClassification",
    "MistralModel",
    "PretrainedModel",
    "Qwen2Config",
    "Qwen2ForCausalLM",
    "Qwen2ForSequenceClassification",
    "Qwen2ForTokenClassification",
    "Qwen2Model",
    "Qwen3Config",
    "Qwen3ForCausalLM",
    "Qwen3ForSequenceClassification",
    "Qwen3ForTokenClassification",
    "Qwen3Model",
    "ROBERTA_BASE_ENCODER",
    "ROBERTA_DISTILLED_ENCODER",
    "ROBERTA_LARGE_ENCODER",
    "RobertaBundle",
    "RobertaClassificationHead",
    "RobertaConfig",
    "RobertaEncoderConf",
    "RobertaForMaskedLM",
    "RobertaForMultipleChoice",
    "RobertaForQuestionAnswering",
    "RobertaForSequenceClassification",
    "RobertaForTokenClassification",
    "RobertaModel",
    "T5Bundle",
    "T5Conf",
    "T5Config",
    "T5EncoderModel",
    "T5ForConditionalGeneration",
    "T5Model",
    "T5Transform",
    "T5_11B",
    "T5_11B_ENCODER",
    "T5_11B_GENERATION",
    "T5_3B",
    "T5_3B_ENCODER",
    "T5_3B_GENERATION",
    "T5_BASE",
    "T5_BASE_ENCODER",
    "T5_BASE_GENERATION",
    "T5_LARGE",
    "T5_LARGE_ENCODER",
    "T5_LARGE_GENERATION",
    "T5_SMALL",
    "T5_SMALL_ENCODER",
    "T5_SMALL_GENERATION",
    "TorchtextRobertaModel",
    "TorchtextT5Model",
    "WhisperConfig",
    "WhisperForConditionalGeneration",
    "WhisperModel",
    "Word2Vec",
    "XLMR_BASE_ENCODER",
    "XLMR_LARGE_ENCODER",
    "XLMRobertaConfig",
    "XLMRobertaForMaskedLM",
    "XLMRobertaForMultipleChoice",
    "XLMRobertaForQuestionAnswering",
    "XLMRobertaForSequenceClassification",
    "XLMRobertaForTokenClassification",
    "XLMRobertaModel",
    "from_config",
    "from_pretrained",
    "train_word2vec",
]


# classes without a Hugging Face name, and the modules of this package that they are in
_OTHERS = {
    "FastTextClassifier": "fasttext",
    "G2P": "g2p",
    "GRUSeq2Seq": "recurrent",
    "LSTMClassifier": "recurrent",
    "RobertaBundle": "roberta_bundle",
    "RobertaClassificationHead": "roberta_torchtext",
    "RobertaEncoderConf": "roberta_torchtext",
    "T5Bundle": "t5_bundle",
    "T5Conf": "t5_torchtext",
    "T5Transform": "t5_bundle",
    "TorchtextRobertaModel": "roberta_torchtext",
    "TorchtextT5Model": "t5_torchtext",
    "Word2Vec": "word2vec",
    "train_word2vec": "word2vec",
}


def __getattr__(name: str) -> Any:
    if name in _OTHERS:
        return getattr(import_module(f".{_OTHERS[name]}", __name__), name)
    if name.startswith(("T5_", "FLAN_T5_")) and name in __all__:
        return import_module(".t5_bundle", __name__).BUNDLES[name]
    if name.startswith(("ROBERTA_", "XLMR_")) and name in __all__:
        return import_module(".roberta_bundle", __name__).BUNDLES[name]
    if name in ARCHITECTURES:
        return find_architecture(name)
    stem = name.removesuffix("Config")
    if stem != name and f"{stem}Model" in ARCHITECTURES:
        return find_architecture(f"{stem}Model").config_class
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
