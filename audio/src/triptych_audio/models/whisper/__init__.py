"""Whisper: speech of 99 languages to text, with times.

```
from triptych_audio.models import whisper

model = whisper.load_model("tiny")
print(model.transcribe("talk.flac", word_timestamps=True)["text"])
```

Source: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision";
openai/whisper.
"""

from __future__ import annotations

from triptych_audio.functional.whisper import log_mel_spectrogram, pad_or_trim
from triptych_audio.models.whisper.attention import WhisperCache
from triptych_audio.models.whisper.config import SIZES, ModelDimensions, WhisperConfig
from triptych_audio.models.whisper.decoding import (
    DecodingOptions,
    DecodingResult,
    decode,
    detect_language,
)
from triptych_audio.models.whisper.languages import LANGUAGES
from triptych_audio.models.whisper.loading import available_models, load_model
from triptych_audio.models.whisper.model import (
    WhisperForConditionalGeneration,
    WhisperModel,
    WhisperOutput,
)
from triptych_audio.models.whisper.tokenizer import (
    Tokenizer,
    Vocabulary,
    get_tokenizer,
    read_folder_vocabulary,
    read_ranks,
)
from triptych_audio.models.whisper.transcribing import transcribe
from triptych_audio.models.whisper.writing import FORMATS, formatted

__all__ = [
    "DecodingOptions",
    "DecodingResult",
    "FORMATS",
    "LANGUAGES",
    "ModelDimensions",
    "SIZES",
    "Tokenizer",
    "Vocabulary",
    "WhisperCache",
    "WhisperConfig",
    "WhisperForConditionalGeneration",
    "WhisperModel",
    "WhisperOutput",
    "available_models",
    "decode",
    "detect_language",
    "formatted",
    "get_tokenizer",
    "load_model",
    "log_mel_spectrogram",
    "pad_or_trim",
    "read_folder_vocabulary",
    "read_ranks",
    "transcribe",
]
