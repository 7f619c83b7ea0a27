"""The published models of wav2vec 2.0, HuBERT, WavLM, XLS-R, VoxPopuli and MMS."""

from __future__ import annotations

from typing import Any

from triptych_audio.models.wav2vec2.sizes import DROPOUTS, size_config
from triptych_audio.pipelines.wav2vec2_bundles import (
    SPARE,
    Wav2Vec2ASRBundle,
    Wav2Vec2Bundle,
    Wav2Vec2FABundle,
)
from triptych_audio.pipelines.wav2vec2_labels import LABELS
from triptych_audio.recognition_weights import RECOGNITION

__all__ = [
    "HUBERT_ASR_LARGE",
    "HUBERT_ASR_XLARGE",
    "HUBERT_BASE",
    "HUBERT_LARGE",
    "HUBERT_XLARGE",
    "MMS_FA",
    "VOXPOPULI_ASR_BASE_10K_DE",
    "VOXPOPULI_ASR_BASE_10K_EN",
    "VOXPOPULI_ASR_BASE_10K_ES",
    "VOXPOPULI_ASR_BASE_10K_FR",
    "VOXPOPULI_ASR_BASE_10K_IT",
    "WAV2VEC2_ASR_BASE_100H",
    "WAV2VEC2_ASR_BASE_10M",
    "WAV2VEC2_ASR_BASE_960H",
    "WAV2VEC2_ASR_LARGE_100H",
    "WAV2VEC2_ASR_LARGE_10M",
    "WAV2VEC2_ASR_LARGE_960H",
    "WAV2VEC2_ASR_LARGE_LV60K_100H",
    "WAV2VEC2_ASR_LARGE_LV60K_10M",
    "WAV2VEC2_ASR_LARGE_LV60K_960H",
    "WAV2VEC2_BASE",
    "WAV2VEC2_LARGE",
    "WAV2VEC2_LARGE_LV60K",
    "WAV2VEC2_XLSR53",
    "WAV2VEC2_XLSR_1B",
    "WAV2VEC2_XLSR_2B",
    "WAV2VEC2_XLSR_300M",
    "WAVLM_BASE",
    "WAVLM_BASE_PLUS",
    "WAVLM_LARGE",
]

# Arguments of size_config, and the dropouts of training in the order of DROPOUTS.
# Source: torchaudio 2.8, pipelines/_wav2vec2/impl.py.
CONFIGS: dict[str, tuple[str, bool, bool, tuple[float, ...]]] = {
    "base": ("base", False, False, (0.1, 0.1, 0.0, 0.1, 0.05)),
    "large": ("large", False, False, (0.1, 0.1, 0.0, 0.0, 0.2)),
    "large_lv60k": ("large", True, True, (0.1, 0.1, 0.0, 0.0, 0.0)),
    "hubert_large": ("large", True, False, (0.0, 0.0, 0.0, 0.0, 0.0)),
    "hubert_large_asr": ("large", True, False, (0.0, 0.0, 0.1, 0.0, 0.1)),
    "hubert_xlarge": ("xlarge", True, False, (0.0, 0.0, 0.0, 0.0, 0.0)),
    "hubert_xlarge_asr": ("xlarge", True, False, (0.0, 0.0, 0.1, 0.0, 0.1)),
    "voxpopuli": ("base", False, False, (0.0, 0.0, 0.1, 0.0, 0.1)),
    "wavlm_large": ("large", True, False, (0.1, 0.1, 0.0, 0.1, 0.05)),
    "xlsr": ("large", True, True, (0.0, 0.0, 0.0, 0.0, 0.0)),
    "xlsr_1b": ("xlarge", True, True, (0.1, 0.0, 0.0, 0.0, 0.0)),
    "xlsr_2b": ("2b", True, True, (0.1, 0.0, 0.0, 0.0, 0.0)),
    "mms": ("large", True, True, (0.0, 0.0, 0.1, 0.0, 0.1)),
}
DISTANCES = {"encoder_num_buckets": 320, "encoder_max_distance": 800}


def _params(config: str, labels: int | None = None) -> dict[str, Any]:
    size, per_frame, conv_bias, dropouts = CONFIGS[config]
    return {
        **size_config(size, per_frame=per_frame, conv_bias=conv_bias),
        **dict(zip(DROPOUTS, dropouts, strict=True)),
        "aux_num_out": labels,
    }


def _features(file: str, config: str) -> Wav2Vec2Bundle:
    return Wav2Vec2Bundle(RECOGNITION[file], _params(config), CONFIGS[config][1])


def _wavlm(file: str, config: str) -> Wav2Vec2Bundle:
    params = {**_params(config), **DISTANCES}
    return Wav2Vec2Bundle(RECOGNITION[file], params, CONFIGS[config][1], "WavLM")


def _letters(
    file: str, config: str, labels: str = "english", spare: tuple[int, ...] = SPARE
) -> Wav2Vec2ASRBundle:
    params = _params(config, 1 + len(LABELS[labels]))
    normalize = CONFIGS[config][1]
    return Wav2Vec2ASRBundle(
        RECOGNITION[file], params, normalize, labels=LABELS[labels], remove_aux_axis=spare
    )


WAV2VEC2_BASE = _features("wav2vec2_fairseq_base_ls960.pth", "base")
"""wav2vec 2.0, base; 960 hours of LibriSpeech, without transcripts. MIT."""

WAV2VEC2_ASR_BASE_10M = _letters("wav2vec2_fairseq_base_ls960_asr_ll10m.pth", "base")
"""WAV2VEC2_BASE, fine-tuned for letters on 10 minutes of Libri-Light. MIT."""

WAV2VEC2_ASR_BASE_100H = _letters("wav2vec2_fairseq_base_ls960_asr_ls100.pth", "base")
"""WAV2VEC2_BASE, fine-tuned for letters on 100 hours of LibriSpeech. MIT."""

WAV2VEC2_ASR_BASE_960H = _letters("wav2vec2_fairseq_base_ls960_asr_ls960.pth", "base")
"""WAV2VEC2_BASE, fine-tuned for letters on 960 hours of LibriSpeech. MIT."""

WAV2VEC2_LARGE = _features("wav2vec2_fairseq_large_ls960.pth", "large")
"""wav2vec 2.0, large; 960 hours of LibriSpeech, without transcripts. MIT."""

WAV2VEC2_ASR_LARGE_10M = _letters("wav2vec2_fairseq_large_ls960_asr_ll10m.pth", "large")
"""WAV2VEC2_LARGE, fine-tuned for letters on 10 minutes of Libri-Light. MIT."""

WAV2VEC2_ASR_LARGE_100H = _letters("wav2vec2_fairseq_large_ls960_asr_ls100.pth", "large")
"""WAV2VEC2_LARGE, fine-tuned for letters on 100 hours of LibriSpeech. MIT."""

WAV2VEC2_ASR_LARGE_960H = _letters("wav2vec2_fairseq_large_ls960_asr_ls960.pth", "large")
"""WAV2VEC2_LARGE, fine-tuned for letters on 960 hours of LibriSpeech. MIT."""

WAV2VEC2_LARGE_LV60K = _features("wav2vec2_fairseq_large_lv60k.pth", "large_lv60k")
"""wav2vec 2.0, large; 60,000 hours of Libri-Light, without transcripts. MIT."""

WAV2VEC2_ASR_LARGE_LV60K_10M = _letters("wav2vec2_fairseq_large_lv60k_asr_ll10m.pth", "large_lv60k")
"""WAV2VEC2_LARGE_LV60K, fine-tuned for letters on 10 minutes of Libri-Light. MIT."""

WAV2VEC2_ASR_LARGE_LV60K_100H = _letters(
    "wav2vec2_fairseq_large_lv60k_asr_ls100.pth", "large_lv60k"
)
"""WAV2VEC2_LARGE_LV60K, fine-tuned for letters on 100 hours of LibriSpeech. MIT."""

WAV2VEC2_ASR_LARGE_LV60K_960H = _letters(
    "wav2vec2_fairseq_large_lv60k_asr_ls960.pth", "large_lv60k"
)
"""WAV2VEC2_LARGE_LV60K, fine-tuned for letters on 960 hours of LibriSpeech. MIT."""

WAV2VEC2_XLSR53 = _features("wav2vec2_fairseq_large_xlsr53.pth", "xlsr")
"""XLSR-53, large; 56,000 hours in 53 languages, without transcripts. MIT."""

WAV2VEC2_XLSR_300M = _features("wav2vec2_xlsr_300m.pth", "xlsr")
"""XLS-R, 300 million parameters; 436,000 hours in 128 languages, without transcripts. MIT."""

WAV2VEC2_XLSR_1B = _features("wav2vec2_xlsr_1b.pth", "xlsr_1b")
"""XLS-R, 1 billion parameters; 436,000 hours in 128 languages, without transcripts. MIT."""

WAV2VEC2_XLSR_2B = _features("wav2vec2_xlsr_2b.pth", "xlsr_2b")
"""XLS-R, 2 billion parameters; 436,000 hours in 128 languages, without transcripts. MIT."""

HUBERT_BASE = _features("hubert_fairseq_base_ls960.pth", "base")
"""HuBERT, base; 960 hours of LibriSpeech, without transcripts. MIT."""

HUBERT_LARGE = _features("hubert_fairseq_large_ll60k.pth", "hubert_large")
"""HuBERT, large; 60,000 hours of Libri-Light, without transcripts. MIT."""

HUBERT_XLARGE = _features("hubert_fairseq_xlarge_ll60k.pth", "hubert_xlarge")
"""HuBERT, extra large; 60,000 hours of Libri-Light, without transcripts. MIT."""

HUBERT_ASR_LARGE = _letters("hubert_fairseq_large_ll60k_asr_ls960.pth", "hubert_large_asr")
"""HUBERT_LARGE, fine-tuned for letters on 960 hours of LibriSpeech. MIT."""

HUBERT_ASR_XLARGE = _letters("hubert_fairseq_xlarge_ll60k_asr_ls960.pth", "hubert_xlarge_asr")
"""HUBERT_XLARGE, fine-tuned for letters on 960 hours of LibriSpeech. MIT."""

WAVLM_BASE = _wavlm("wavlm_base.pth", "base")
"""WavLM, base; 960 hours of LibriSpeech, without transcripts. MIT."""

WAVLM_BASE_PLUS = _wavlm("wavlm_base_plus.pth", "base")
"""WavLM, base; 94,000 hours of Libri-Light, GigaSpeech and VoxPopuli. MIT."""

WAVLM_LARGE = _wavlm("wavlm_large.pth", "wavlm_large")
"""WavLM, large; 94,000 hours of Libri-Light, GigaSpeech and VoxPopuli. MIT."""

# two of VoxPopuli's dictionaries have one more label that nothing was spelt with

VOXPOPULI_ASR_BASE_10K_DE = _letters(
    "wav2vec2_voxpopuli_base_10k_asr_de.pt", "voxpopuli", "voxpopuli_de", (*SPARE, 35)
)
"""wav2vec 2.0, base; 10,000 hours in 23 languages, letters from 282 hours German. CC-BY-NC."""

VOXPOPULI_ASR_BASE_10K_EN = _letters(
    "wav2vec2_voxpopuli_base_10k_asr_en.pt", "voxpopuli", "voxpopuli_en", (*SPARE, 31)
)
"""wav2vec 2.0, base; 10,000 hours in 23 languages, letters from 543 hours English. CC-BY-NC."""

VOXPOPULI_ASR_BASE_10K_ES = _letters(
    "wav2vec2_voxpopuli_base_10k_asr_es.pt", "voxpopuli", "voxpopuli_es", (*SPARE, 35)
)
"""wav2vec 2.0, base; 10,000 hours in 23 languages, letters from 166 hours Spanish. CC-BY-NC."""

VOXPOPULI_ASR_BASE_10K_FR = _letters(
    "wav2vec2_voxpopuli_base_10k_asr_fr.pt", "voxpopuli", "voxpopuli_fr"
)
"""wav2vec 2.0, base; 10,000 hours in 23 languages, letters from 211 hours French. CC-BY-NC."""

VOXPOPULI_ASR_BASE_10K_IT = _letters(
    "wav2vec2_voxpopuli_base_10k_asr_it.pt", "voxpopuli", "voxpopuli_it"
)
"""wav2vec 2.0, base; 10,000 hours in 23 languages, letters from 91 hours Italian. CC-BY-NC."""

MMS_FA = Wav2Vec2FABundle(
    RECOGNITION["mms_fa.pt"], _params("mms", 1 + len(LABELS["mms"])), True, labels=LABELS["mms"]
)
"""MMS, large; 31,000 hours in 1,130 languages, for the alignment of romanised text. CC-BY-NC."""
