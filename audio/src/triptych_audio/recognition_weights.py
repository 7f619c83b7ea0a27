"""Files of the models that recognise speech: addresses and licences.

Their publisher states no hashes. What comes over https is taken as it is, with a warning.
Source: torchaudio 2.8, pipelines and prototype.pipelines.
"""

from __future__ import annotations

from triptych_datasets import Artifact

__all__ = ["RECOGNITION"]

MODELS = "https://download.pytorch.org/torchaudio/models/"
ASSETS = "https://download.pytorch.org/torchaudio/pipeline-assets/"
MMS = "https://dl.fbaipublicfiles.com/mms/torchaudio/ctc_alignment_mling_uroman/"

MIT, NON_COMMERCIAL = "MIT", "CC-BY-NC-4.0"
TORCHAUDIO = "BSD-2-Clause, torchaudio's own: none is stated for the file"

# (folder, kind, licence): the files there, and what they are
FILES: dict[tuple[str, str, str], dict[str, str]] = {
    (MODELS, "weights", MIT): {
        "wav2vec2_fairseq_base_ls960.pth": "wav2vec 2.0 base, LibriSpeech",
        "wav2vec2_fairseq_base_ls960_asr_ll10m.pth": "the same, letters, 10 minutes",
        "wav2vec2_fairseq_base_ls960_asr_ls100.pth": "the same, letters, 100 hours",
        "wav2vec2_fairseq_base_ls960_asr_ls960.pth": "the same, letters, 960 hours",
        "wav2vec2_fairseq_large_ls960.pth": "wav2vec 2.0 large, LibriSpeech",
        "wav2vec2_fairseq_large_ls960_asr_ll10m.pth": "the same, letters, 10 minutes",
        "wav2vec2_fairseq_large_ls960_asr_ls100.pth": "the same, letters, 100 hours",
        "wav2vec2_fairseq_large_ls960_asr_ls960.pth": "the same, letters, 960 hours",
        "wav2vec2_fairseq_large_lv60k.pth": "wav2vec 2.0 large, Libri-Light",
        "wav2vec2_fairseq_large_lv60k_asr_ll10m.pth": "the same, letters, 10 minutes",
        "wav2vec2_fairseq_large_lv60k_asr_ls100.pth": "the same, letters, 100 hours",
        "wav2vec2_fairseq_large_lv60k_asr_ls960.pth": "the same, letters, 960 hours",
        "wav2vec2_fairseq_large_xlsr53.pth": "XLSR, 53 languages",
        "wav2vec2_xlsr_300m.pth": "XLS-R, 128 languages, 300 million parameters",
        "wav2vec2_xlsr_1b.pth": "XLS-R, 128 languages, 1 billion parameters",
        "wav2vec2_xlsr_2b.pth": "XLS-R, 128 languages, 2 billion parameters",
        "hubert_fairseq_base_ls960.pth": "HuBERT base, LibriSpeech",
        "hubert_fairseq_large_ll60k.pth": "HuBERT large, Libri-Light",
        "hubert_fairseq_xlarge_ll60k.pth": "HuBERT extra large, Libri-Light",
        "hubert_fairseq_large_ll60k_asr_ls960.pth": "HuBERT large, letters, 960 hours",
        "hubert_fairseq_xlarge_ll60k_asr_ls960.pth": "HuBERT extra large, letters, 960 hours",
        "wavlm_base.pth": "WavLM base, LibriSpeech",
        "wavlm_base_plus.pth": "WavLM base, 94,000 hours",
        "wavlm_large.pth": "WavLM large, 94,000 hours",
    },
    (MODELS, "weights", NON_COMMERCIAL): {
        "wav2vec2_voxpopuli_base_10k_asr_de.pt": "wav2vec 2.0 base, VoxPopuli, German",
        "wav2vec2_voxpopuli_base_10k_asr_en.pt": "wav2vec 2.0 base, VoxPopuli, English",
        "wav2vec2_voxpopuli_base_10k_asr_es.pt": "wav2vec 2.0 base, VoxPopuli, Spanish",
        "wav2vec2_voxpopuli_base_10k_asr_fr.pt": "wav2vec 2.0 base, VoxPopuli, French",
        "wav2vec2_voxpopuli_base_10k_asr_it.pt": "wav2vec 2.0 base, VoxPopuli, Italian",
    },
    (MMS, "weights", NON_COMMERCIAL): {"model.pt": "MMS, alignment in 1,130 languages"},
    (MODELS, "weights", TORCHAUDIO): {
        "emformer_rnnt_base_librispeech.pt": "transducer with Emformer, LibriSpeech",
        "emformer_rnnt_base_mustc.pt": "transducer with Emformer, MuST-C 2.0",
        "emformer_rnnt_base_tedlium3.pt": "transducer with Emformer, TED-LIUM 3",
    },
    (ASSETS, "data", TORCHAUDIO): {
        "global_stats_rnnt_librispeech.json": "means of the features of LibriSpeech",
        "global_stats_rnnt_mustc.json": "means of the features of MuST-C 2.0",
        "global_stats_rnnt_tedlium3.json": "means of the features of TED-LIUM 3",
        "spm_bpe_4096_librispeech.model": "SentencePiece, 4,096 pieces, LibriSpeech",
        "spm_bpe_500_mustc.model": "SentencePiece, 500 pieces, MuST-C 2.0",
        "spm_bpe_500_tedlium3.model": "SentencePiece, 500 pieces, TED-LIUM 3",
    },
}


def _artifacts() -> dict[str, Artifact]:
    found = {}
    for (folder, kind, licence), files in FILES.items():
        for file, description in files.items():
            name = "mms_fa.pt" if folder == MMS else file
            found[name] = Artifact(
                f"torchaudio/{name}",
                sources=(folder + file,),
                licence=licence,
                description=description,
                kind=kind,
                unverified=True,
            )
    return found


RECOGNITION: dict[str, Artifact] = _artifacts()
"""The records by file name; that of MMS_FA, whose own says nothing, is "mms_fa.pt"."""
