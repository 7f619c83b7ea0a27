"""Functions over waveforms and spectrograms, under torchaudio's names.

Each takes a Tensor, a NumPy array or any DLPack array and gives back the same kind. The class
twins in `triptych_audio.transforms` compute windows and filters once.
"""

from __future__ import annotations

from triptych_audio.functional.alignment import TokenSpan, forced_align, merge_tokens
from triptych_audio.functional.amplitude import (
    DB_to_amplitude,
    amplitude_to_DB,
    gain,
    mu_law_decoding,
    mu_law_encoding,
)
from triptych_audio.functional.bark import barkscale_fbanks
from triptych_audio.functional.beamforming import (
    apply_beamforming,
    mvdr_weights_rtf,
    mvdr_weights_souden,
    psd,
    rtf_evd,
    rtf_power,
)
from triptych_audio.functional.biquads import (
    allpass_biquad,
    band_biquad,
    bandpass_biquad,
    bandreject_biquad,
    bass_biquad,
    biquad,
    deemph_biquad,
    equalizer_biquad,
    highpass_biquad,
    lowpass_biquad,
    riaa_biquad,
    treble_biquad,
)
from triptych_audio.functional.cepstra import compute_deltas, sliding_window_cmn
from triptych_audio.functional.channels import to_mono, to_stereo
from triptych_audio.functional.chroma import (
    chroma_cqt,
    chroma_filterbank,
    chroma_stft,
    estimate_tuning,
    tonnetz,
)
from triptych_audio.functional.codecs import apply_codec
from triptych_audio.functional.constant_q import cqt, icqt, vqt
from triptych_audio.functional.convolution import convolve, fftconvolve
from triptych_audio.functional.ctc import ctc_loss
from triptych_audio.functional.decompose import hpss, pcen
from triptych_audio.functional.distances import edit_distance, frechet_distance
from triptych_audio.functional.dynamics import compressor, limiter
from triptych_audio.functional.echoes import delay, reverb
from triptych_audio.functional.effects import contrast, dcshift, dither, overdrive
from triptych_audio.functional.filterbanks import (
    create_dct,
    hz_to_mel,
    linear_fbanks,
    mel_to_hz,
    melscale_fbanks,
)
from triptych_audio.functional.filters import deemphasis, preemphasis
from triptych_audio.functional.frames import frame, rms, zero_crossing_rate
from triptych_audio.functional.generators import chirp, clicks, colored_noise, tone
from triptych_audio.functional.loudness_meter import loudness
from triptych_audio.functional.masking import mask_along_axis, mask_along_axis_iid
from triptych_audio.functional.mixing import add_noise, speed
from triptych_audio.functional.modulation import chorus, flanger, phaser
from triptych_audio.functional.noise_reduction import noise_reduce
from triptych_audio.functional.pitch import detect_pitch_frequency, pyin, yin
from triptych_audio.functional.recursive import filtfilt, lfilter
from triptych_audio.functional.resampling import resample
from triptych_audio.functional.rhythm import (
    beat_track,
    onset_detect,
    onset_strength,
    tempo,
    tempogram,
)
from triptych_audio.functional.room import simulate_rir_ism
from triptych_audio.functional.sequence import dtw, viterbi
from triptych_audio.functional.silence import split, trim
from triptych_audio.functional.spectra import griffinlim, inverse_spectrogram, spectrogram
from triptych_audio.functional.spectral_shape import (
    spectral_bandwidth,
    spectral_centroid,
    spectral_contrast,
    spectral_flatness,
    spectral_rolloff,
)
from triptych_audio.functional.synthesis import (
    adsr_envelope,
    exp_sigmoid,
    extend_pitch,
    filter_waveform,
    frequency_impulse_response,
    oscillator_bank,
    sinc_impulse_response,
)
from triptych_audio.functional.transducer import rnnt_loss
from triptych_audio.functional.units import (
    a_weighting,
    cqt_frequencies,
    fft_frequencies,
    frames_to_samples,
    frames_to_time,
    hz_to_midi,
    hz_to_note,
    hz_to_octs,
    mel_frequencies,
    midi_to_hz,
    midi_to_note,
    note_to_hz,
    note_to_midi,
    octs_to_hz,
    samples_to_frames,
    samples_to_time,
    time_to_frames,
    time_to_samples,
)
from triptych_audio.functional.vocoder import phase_vocoder, pitch_shift, time_stretch
from triptych_audio.functional.voice_activity import vad
from triptych_audio.functional.whisper import log_mel_spectrogram, pad_or_trim
from triptych_audio.functional.words import WordSpan, align_words, merge_words

__all__ = [
    "DB_to_amplitude",
    "TokenSpan",
    "WordSpan",
    "a_weighting",
    "add_noise",
    "adsr_envelope",
    "align_words",
    "allpass_biquad",
    "amplitude_to_DB",
    "apply_beamforming",
    "apply_codec",
    "band_biquad",
    "bandpass_biquad",
    "bandreject_biquad",
    "barkscale_fbanks",
    "bass_biquad",
    "beat_track",
    "biquad",
    "chirp",
    "chorus",
    "chroma_cqt",
    "chroma_filterbank",
    "chroma_stft",
    "clicks",
    "colored_noise",
    "compressor",
    "compute_deltas",
    "contrast",
    "convolve",
    "cqt",
    "cqt_frequencies",
    "create_dct",
    "ctc_loss",
    "dcshift",
    "deemph_biquad",
    "deemphasis",
    "delay",
    "detect_pitch_frequency",
    "dither",
    "dtw",
    "edit_distance",
    "equalizer_biquad",
    "estimate_tuning",
    "exp_sigmoid",
    "extend_pitch",
    "fft_frequencies",
    "fftconvolve",
    "filter_waveform",
    "filtfilt",
    "flanger",
    "forced_align",
    "frame",
    "frames_to_samples",
    "frames_to_time",
    "frechet_distance",
    "frequency_impulse_response",
    "gain",
    "griffinlim",
    "highpass_biquad",
    "hpss",
    "hz_to_mel",
    "hz_to_midi",
    "hz_to_note",
    "hz_to_octs",
    "icqt",
    "inverse_spectrogram",
    "lfilter",
    "limiter",
    "linear_fbanks",
    "log_mel_spectrogram",
    "loudness",
    "lowpass_biquad",
    "mask_along_axis",
    "mask_along_axis_iid",
    "mel_frequencies",
    "mel_to_hz",
    "melscale_fbanks",
    "merge_tokens",
    "merge_words",
    "midi_to_hz",
    "midi_to_note",
    "mu_law_decoding",
    "mu_law_encoding",
    "mvdr_weights_rtf",
    "mvdr_weights_souden",
    "noise_reduce",
    "note_to_hz",
    "note_to_midi",
    "octs_to_hz",
    "onset_detect",
    "onset_strength",
    "oscillator_bank",
    "overdrive",
    "pad_or_trim",
    "pcen",
    "phase_vocoder",
    "phaser",
    "pitch_shift",
    "preemphasis",
    "psd",
    "pyin",
    "resample",
    "reverb",
    "riaa_biquad",
    "rms",
    "rnnt_loss",
    "rtf_evd",
    "rtf_power",
    "samples_to_frames",
    "samples_to_time",
    "simulate_rir_ism",
    "sinc_impulse_response",
    "sliding_window_cmn",
    "spectral_bandwidth",
    "spectral_centroid",
    "spectral_contrast",
    "spectral_flatness",
    "spectral_rolloff",
    "spectrogram",
    "speed",
    "split",
    "tempo",
    "tempogram",
    "time_stretch",
    "time_to_frames",
    "time_to_samples",
    "to_mono",
    "to_stereo",
    "tone",
    "tonnetz",
    "treble_biquad",
    "trim",
    "vad",
    "viterbi",
    "vqt",
    "yin",
    "zero_crossing_rate",
]
