"""Models of sound, with the parameter names of the official checkpoints."""

from __future__ import annotations

from triptych_audio.models.conformer import Conformer
from triptych_audio.models.conformer_wav2vec2 import (
    ConformerWav2Vec2PretrainModel,
    conformer_wav2vec2_base,
    conformer_wav2vec2_model,
    conformer_wav2vec2_pretrain_base,
    conformer_wav2vec2_pretrain_large,
    conformer_wav2vec2_pretrain_model,
)
from triptych_audio.models.conv_emformer import ConvEmformer
from triptych_audio.models.conv_tasnet import ConvTasNet, conv_tasnet_base
from triptych_audio.models.crepe import CREPE
from triptych_audio.models.deepspeech import DeepSpeech
from triptych_audio.models.emformer import Emformer
from triptych_audio.models.emformer_hubert import emformer_hubert_base, emformer_hubert_model
from triptych_audio.models.encodec import EncodecModel, encodec_model_24khz, encodec_model_48khz
from triptych_audio.models.hdemucs import HDemucs, hdemucs_high, hdemucs_low, hdemucs_medium
from triptych_audio.models.hifi_gan import (
    HiFiGANVocoder,
    hifigan_vocoder,
    hifigan_vocoder_v1,
    hifigan_vocoder_v2,
    hifigan_vocoder_v3,
)
from triptych_audio.models.rnnt import (
    RNNT,
    conformer_rnnt_base,
    conformer_rnnt_model,
    emformer_rnnt_base,
    emformer_rnnt_model,
)
from triptych_audio.models.rnnt_decoder import Hypothesis, RNNTBeamSearch
from triptych_audio.models.separation import separate
from triptych_audio.models.silero_vad import SileroVAD, SileroVADState
from triptych_audio.models.speaker_embedding import GE2E
from triptych_audio.models.spoken_digits import SpokenDigits
from triptych_audio.models.squim import (
    SquimObjective,
    SquimSubjective,
    squim_objective_base,
    squim_objective_model,
    squim_subjective_base,
    squim_subjective_model,
)
from triptych_audio.models.tacotron2 import Tacotron2
from triptych_audio.models.vggish import VGGish, VGGishInputProcessor
from triptych_audio.models.wav2letter import Wav2Letter
from triptych_audio.models.wav2vec2 import (
    HuBERTPretrainModel,
    Wav2Vec2Model,
    hubert_base,
    hubert_large,
    hubert_pretrain_base,
    hubert_pretrain_large,
    hubert_pretrain_model,
    hubert_pretrain_xlarge,
    hubert_xlarge,
    wav2vec2_base,
    wav2vec2_large,
    wav2vec2_large_lv60k,
    wav2vec2_model,
    wav2vec2_xlsr_1b,
    wav2vec2_xlsr_2b,
    wav2vec2_xlsr_300m,
    wavlm_base,
    wavlm_large,
    wavlm_model,
)
from triptych_audio.models.wavernn import WaveRNN
from triptych_audio.models.whisper import (
    WhisperConfig,
    WhisperForConditionalGeneration,
    WhisperModel,
)

__all__ = [
    "CREPE",
    "Conformer",
    "ConformerWav2Vec2PretrainModel",
    "ConvEmformer",
    "ConvTasNet",
    "DeepSpeech",
    "Emformer",
    "EncodecModel",
    "GE2E",
    "HDemucs",
    "HiFiGANVocoder",
    "HuBERTPretrainModel",
    "Hypothesis",
    "RNNT",
    "RNNTBeamSearch",
    "SileroVAD",
    "SileroVADState",
    "SpokenDigits",
    "SquimObjective",
    "SquimSubjective",
    "Tacotron2",
    "VGGish",
    "VGGishInputProcessor",
    "Wav2Letter",
    "Wav2Vec2Model",
    "WaveRNN",
    "WhisperConfig",
    "WhisperForConditionalGeneration",
    "WhisperModel",
    "conformer_rnnt_base",
    "conformer_rnnt_model",
    "conformer_wav2vec2_base",
    "conformer_wav2vec2_model",
    "conformer_wav2vec2_pretrain_base",
    "conformer_wav2vec2_pretrain_large",
    "conformer_wav2vec2_pretrain_model",
    "conv_tasnet_base",
    "emformer_hubert_base",
    "emformer_hubert_model",
    "emformer_rnnt_base",
    "emformer_rnnt_model",
    "encodec_model_24khz",
    "encodec_model_48khz",
    "hdemucs_high",
    "hdemucs_low",
    "hdemucs_medium",
    "hifigan_vocoder",
    "hifigan_vocoder_v1",
    "hifigan_vocoder_v2",
    "hifigan_vocoder_v3",
    "hubert_base",
    "hubert_large",
    "hubert_pretrain_base",
    "hubert_pretrain_large",
    "hubert_pretrain_model",
    "hubert_pretrain_xlarge",
    "hubert_xlarge",
    "separate",
    "squim_objective_base",
    "squim_objective_model",
    "squim_subjective_base",
    "squim_subjective_model",
    "wav2vec2_base",
    "wav2vec2_large",
    "wav2vec2_large_lv60k",
    "wav2vec2_model",
    "wav2vec2_xlsr_1b",
    "wav2vec2_xlsr_2b",
    "wav2vec2_xlsr_300m",
    "wavlm_base",
    "wavlm_large",
    "wavlm_model",
]
