"""Rare kinds of wav and its relatives: they decode right, or fail clearly."""

import io
import struct

import numpy as np
import pytest
import soundfile

import triptych as tp
import triptych_audio as audio
from triptych.errors import FileFormatError

RATE = 8000


@pytest.fixture
def ints(rng):
    """(2, 200) int16."""
    return rng.integers(-32768, 32768, (2, 200)).astype(np.int16)


def chunk(name, content, order="<"):
    return name + struct.pack(f"{order}I", len(content)) + content + b"\0" * (len(content) % 2)


def wav(samples, *, head=b"RIFF", tag=1, bits=16, order="<", extra=b"", chunks=b""):
    """A wav file written by hand, of interleaved bytes."""
    channels = 2
    width = bits // 8
    fmt = struct.pack(f"{order}HHIIHH", tag, channels, RATE, RATE * channels * width,
                      channels * width, bits) + extra  # fmt: skip
    body = b"WAVE" + chunk(b"fmt ", fmt, order) + chunks + chunk(b"data", samples, order)
    return head + struct.pack(f"{order}I", len(body)) + body


def interleaved(samples, dtype):
    return np.ascontiguousarray(samples.T).astype(dtype).tobytes()


def read(data):
    waveform, rate = audio.load(data)
    assert rate == RATE
    assert waveform.dtype is tp.float32
    return waveform.numpy()


def test_plain(ints):
    np.testing.assert_array_equal(read(wav(interleaved(ints, "<i2"))), ints / np.float32(32768))


def test_big_endian_rifx(ints):
    data = wav(interleaved(ints, ">i2"), head=b"RIFX", order=">")
    np.testing.assert_array_equal(read(data), ints / np.float32(32768))


def test_24_bits(ints):
    wide = ints.astype(np.int32) * 256 + 77
    packed = np.ascontiguousarray(wide.T).astype("<i4").tobytes()
    samples = np.frombuffer(packed, np.uint8).reshape(-1, 4)[:, :3].tobytes()
    np.testing.assert_allclose(read(wav(samples, bits=24)), wide / 2**23, atol=1e-7)
    stored, _ = audio.load(wav(samples, bits=24), normalize=False)
    np.testing.assert_array_equal(stored.numpy(), wide << 8)


@pytest.mark.parametrize(("dtype", "bits"), [("<f4", 32), ("<f8", 64)])
def test_floats_beyond_full_scale(rng, dtype, bits):
    samples = 3 * rng.standard_normal((2, 200)).astype(np.float32)
    data = wav(interleaved(samples, dtype), tag=3, bits=bits)
    np.testing.assert_array_equal(read(data), samples)
    assert audio.info(data).bits_per_sample == bits


def g711(codes, law):
    """The samples of G.711, straight from the standard."""
    out = []
    for code in codes.ravel().tolist():
        if law == "ULAW":
            code = ~code & 0xFF
            value = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
            out.append(-value if code & 0x80 else value)
        else:
            code ^= 0x55
            segment, step = (code & 0x70) >> 4, (code & 0x0F) << 4
            value = step + 8 if segment == 0 else (step + 0x108) << (segment - 1)
            out.append(value if code & 0x80 else -value)
    return np.array(out).reshape(codes.shape) / 32768


@pytest.mark.parametrize(("law", "tag"), [("ALAW", 6), ("ULAW", 7)])
def test_telephone_codes(law, tag):
    codes = np.arange(256, dtype=np.uint8).reshape(128, 2)
    data = wav(codes.tobytes(), tag=tag, bits=8, extra=b"\0\0")
    np.testing.assert_allclose(read(data), g711(codes, law).T, atol=1e-7)
    assert audio.info(data).encoding == law


GUID = bytes.fromhex("000000001000800000aa00389b71")


@pytest.mark.parametrize(("tag", "dtype", "bits"), [(1, "<i2", 16), (3, "<f4", 32)])
def test_wave_format_extensible(ints, tag, dtype, bits):
    samples = ints if tag == 1 else ints / np.float32(32768)
    extra = struct.pack("<HHIH", 22, bits, 3, tag) + GUID
    data = wav(interleaved(samples, dtype), tag=0xFFFE, bits=bits, extra=extra)
    np.testing.assert_allclose(read(data), ints / np.float32(32768), atol=1e-7)


def test_chunks_in_between(ints):
    middle = chunk(b"LIST", b"INFOISFT\x06\0\0\0maker\0") + chunk(b"junk", b"odd")
    data = wav(interleaved(ints, "<i2"), chunks=middle)
    np.testing.assert_array_equal(read(data), ints / np.float32(32768))


@pytest.mark.parametrize("format", ["RF64", "W64", "CAF", "AIFF", "AU", "NIST", "WAVEX", "IRCAM"])
def test_relatives(ints, format):
    file = io.BytesIO()
    soundfile.write(file, ints.T, RATE, "PCM_16", format=format)
    np.testing.assert_array_equal(read(file.getvalue()), ints / np.float32(32768))


@pytest.mark.parametrize("extension", ["w64", "rf64", "caf", "au", "snd", "aiff", "sph"])
def test_relatives_written(tmp_path, ints, extension):
    path = tmp_path / f"a.{extension}"
    audio.save(path, ints, RATE)
    np.testing.assert_array_equal(read(path), ints / np.float32(32768))


def test_zero_frames(ints):
    data = wav(b"")
    assert audio.load(data)[0].shape == (2, 0)
    assert audio.load(data, sr=16000, mono=True)[0].shape == (1, 0)
    assert audio.info(data).num_frames == 0
    assert list(audio.stream(data, 100)) == []


@pytest.mark.parametrize("extension", ["mp3", "flac", "raw", "ogg", "txt", "m4a", ""])
def test_wrong_extension(tmp_path, ints, extension):
    path = tmp_path / f"a.{extension}"
    path.write_bytes(wav(interleaved(ints, "<i2")))
    np.testing.assert_array_equal(read(path), ints / np.float32(32768))


@pytest.mark.parametrize("extension", ["wav", "mp3", "flac", "raw", "ogg"])
def test_text_with_the_extension_of_sound(tmp_path, extension):
    path = tmp_path / f"a.{extension}"
    path.write_text("Dear reader, this is no sound. " * 20)
    with pytest.raises(FileFormatError, match=rf"cannot decode '.*a\.{extension}'"):
        audio.load(path)


def test_truncated(ints):
    whole = wav(interleaved(ints, "<i2"))
    with pytest.warns(UserWarning, match="cut short: .* promises 800 bytes of samples, 400"):
        got = read(whole[:-400])
    np.testing.assert_array_equal(got, ints[:, :100] / np.float32(32768))
    with pytest.raises(FileFormatError, match="cannot decode"):
        audio.load(whole[:20])
