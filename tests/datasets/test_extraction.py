"""Archives, good and hostile."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triptych_datasets import BrokenArchive, UnsafeArchive, extract

FILES = {"top.txt": b"top", "deep/er/x.bin": bytes(range(256)) * 20, "deep/empty": b""}


def write_tar(path: Path, *infos: tarfile.TarInfo, mode: str = "w") -> Path:
    """Tar with the members given; FILES when there are none."""
    members = list(infos) or [file_info(name, len(data)) for name, data in FILES.items()]
    with tarfile.open(path, mode) as archive:
        for info in members:
            content = FILES.get(info.name, b"\0" * info.size) if info.isreg() else None
            archive.addfile(info, io.BytesIO(content) if content is not None else None)
    return path


def file_info(name: str, size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    return info


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def write_zip(path: Path, files: dict[str, bytes], modes: dict[str, int] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (modes or {}).get(name, 0) << 16
            archive.writestr(info, content)
    return path


def content_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def refused(
    archive: Path, reason: str, error: type[Exception] = UnsafeArchive, **limits: int
) -> None:
    """Extraction fails with the reason and leaves nothing behind, inside or outside."""
    parent = archive.parent
    before = sorted(parent.rglob("*"))
    with pytest.raises(error, match=reason) as caught:
        extract(archive, parent / "out", **limits)
    assert archive.name in str(caught.value)
    assert sorted(parent.rglob("*")) == before


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar(tmp_path: Path, mode: str) -> None:
    archive = write_tar(tmp_path / "data.anything", mode=mode)
    assert extract(archive, tmp_path / "out") == tmp_path / "out"
    assert content_of(tmp_path / "out") == FILES


def test_zip(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {**FILES, "folder/": b"", "back\\slash": b"b"})
    extract(archive, tmp_path / "out")
    assert content_of(tmp_path / "out") == {**FILES, "back/slash": b"b"}
    assert (tmp_path / "out" / "folder").is_dir()


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
def test_single_file(tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]) -> None:
    packed = tmp_path / f"data.csv{suffix}"
    packed.write_bytes(compress(b"1,2\n"))
    extract(packed, tmp_path / "out")
    assert content_of(tmp_path / "out") == {"data.csv": b"1,2\n"}


def test_archives_without_members(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", {})
    tarfile.open(tmp_path / "a.tar", "w").close()
    for name in ("a.zip", "a.tar"):
        assert content_of(extract(tmp_path / name, tmp_path / f"{name}.out")) == {}


def test_into_a_folder_that_exists(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_bytes(b"mine")
    archive = write_tar(tmp_path / "a.tar")
    extract(archive, out)
    assert content_of(out) == {**FILES, "mine": b"mine"}
    with pytest.raises(FileExistsError, match=r"a\.tar: .* holds deep, top\.txt already"):
        extract(archive, out)
    assert content_of(out) == {**FILES, "mine": b"mine"}


def test_links_inside_become_second_names(tmp_path: Path) -> None:
    archive = write_tar(
        tmp_path / "a.tar",
        special("before", tarfile.SYMTYPE, "chain"),  # leads to a link that comes later
        file_info("top.txt", 3),
        special("chain", tarfile.SYMTYPE, "top.txt"),
        special("deep/up", tarfile.SYMTYPE, "../top.txt"),
        special("hard", tarfile.LNKTYPE, "top.txt"),
    )
    extract(archive, tmp_path / "out")
    names = ("before", "chain", "deep/up", "hard", "top.txt")
    assert content_of(tmp_path / "out") == dict.fromkeys(names, b"top")
    assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))


HOSTILE_NAMES = {
    "../evil": "outside of the folder",
    "a/../../evil": "outside of the folder",
    "..\\evil": "outside of the folder",
    "/evil": "an absolute path",
    "\\evil": "an absolute path",
    "C:/evil": "an absolute path",
    "c:evil": "an absolute path",
}


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_that_lead_outside(tmp_path: Path, name: str) -> None:
    write_tar(tmp_path / "a.tar", file_info("good"), file_info(name, 3))
    write_zip(tmp_path / "a.zip", {"good": b"", name: b"bad"})
    for archive in ("a.tar", "a.zip"):
        refused(tmp_path / archive, HOSTILE_NAMES[name])


@pytest.mark.parametrize("target", ["../outside", "/etc/passwd", "deep/../../outside", "C:\\x"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_that_lead_outside(tmp_path: Path, target: str, kind: bytes) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    archive = write_tar(tmp_path / "a.tar", special("link", kind, target))
    refused(archive, "member 'link': leads to .*(outside|absolute)")


def test_zip_link_that_leads_outside(tmp_path: Path) -> None:
    modes = {"link": stat.S_IFLNK | 0o777}
    refused(write_zip(tmp_path / "a.zip", {"link": b"../../x"}, modes), "outside of the folder")


def test_writing_through_a_link(tmp_path: Path) -> None:
    archive = write_tar(
        tmp_path / "a.tar",
        special("x", tarfile.SYMTYPE, "."),
        special("y", tarfile.SYMTYPE, "x/.."),
        file_info("y/evil", 3),
    )
    refused(archive, "member 'x': is a link that leads to no file|earlier member")


def test_links_that_lead_to_each_other(tmp_path: Path) -> None:
    pair = [special("a", tarfile.SYMTYPE, "b"), special("b", tarfile.SYMTYPE, "a")]
    refused(write_tar(tmp_path / "a.tar", *pair), "leads to no file of the archive")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices(tmp_path: Path, kind: bytes) -> None:
    refused(write_tar(tmp_path / "a.tar", special("dev", kind)), "member 'dev': is a device")


def test_zip_device(tmp_path: Path) -> None:
    modes = {"dev": stat.S_IFCHR | 0o666}
    refused(write_zip(tmp_path / "a.zip", {"dev": b""}, modes), "member 'dev': is a device")


def test_same_name_twice(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar", file_info("a"), file_info("a"))
    refused(archive, "member 'a': has the name of an earlier member")
    archive = write_tar(tmp_path / "b.tar", file_info("a"), file_info("a/b"))
    refused(archive, "member 'a/b': has the name of an earlier member")


def test_bytes_that_come_out_are_counted(tmp_path: Path) -> None:
    bomb = {"zeros": b"\0" * 3_000_000}
    write_zip(tmp_path / "a.zip", bomb)
    write_tar(tmp_path / "a.tar.gz", file_info("zeros", 3_000_000), mode="w:gz")
    (tmp_path / "a.gz").write_bytes(gzip.compress(bomb["zeros"]))
    for name in ("a.zip", "a.tar.gz", "a.gz"):
        refused(tmp_path / name, "more than max_bytes=2999999 come out", max_bytes=2_999_999)
        extract(tmp_path / name, tmp_path / f"{name}.out", max_bytes=3_000_000)


def test_a_header_that_lies_about_the_size(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"zeros": b"\0" * 3_000_000})
    true, false = (3_000_000).to_bytes(4, "little"), (3).to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(true, false))
    refused(archive, "damaged after member 'zeros'|more than max_bytes", Exception, max_bytes=1000)


def test_members_are_counted(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar", *(file_info(str(i)) for i in range(11)))
    refused(archive, "more than max_files=10 members", max_files=10)
    assert len(content_of(extract(archive, tmp_path / "out", max_files=11))) == 11


def test_huge_tar_header(tmp_path: Path) -> None:
    name_of_two_megabytes = special("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    name_of_two_megabytes.size = 2_000_000
    archive = tmp_path / "a.tar.gz"
    block = name_of_two_megabytes.tobuf(tarfile.GNU_FORMAT)
    archive.write_bytes(gzip.compress(block + b"a" * 2_000_896 + bytes(1024)))
    refused(archive, "a header claims 2000384 bytes", BrokenArchive)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_cut_short_anywhere(tmp_path: Path, mode: str) -> None:
    whole = write_tar(tmp_path / "whole", mode=mode).read_bytes()
    end = whole.rstrip(b"\0") if mode == "w" else whole
    archive = tmp_path / "cut"
    for length in (*range(1, len(end), max(1, len(end) // 40)), len(end) - 1):
        archive.write_bytes(whole[:length])
        refused(archive, "damaged|cut short|is no zip", BrokenArchive)


def test_damaged_zip(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", FILES)
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-30])
    refused(archive, r"damaged at the start: .*fetch it again", BrokenArchive)
    flipped = bytearray(whole)
    flipped[36 + len("top.txt")] ^= 0xFF
    archive.write_bytes(flipped)
    refused(archive, "damaged after member", BrokenArchive)


def test_encrypted_zip(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"secret": b"x"})
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    refused(archive, "member 'secret' is encrypted", BrokenArchive)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x7fELF" + b"\0" * 2000])
def test_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    refused(tmp_path / "x.tar", r"x\.tar: is no zip", BrokenArchive)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(position=st.integers(0, 5119), value=st.integers(0, 255), zipped=st.booleans())
def test_one_wrong_byte_never_writes_outside(
    tmp_path: Path, position: int, value: int, zipped: bool
) -> None:
    """Whatever a flipped byte does, it ends in files under the folder or in one of two errors."""
    folder = tmp_path / "sealed"
    folder.mkdir(exist_ok=True)
    archive = folder / "a"
    write_zip(archive, FILES) if zipped else write_tar(archive)
    content = bytearray(archive.read_bytes())
    content[position % len(content)] = value
    archive.write_bytes(content)
    try:
        extract(archive, folder / "out", max_bytes=1 << 20)
    except (UnsafeArchive, BrokenArchive):
        assert not (folder / "out").exists()
    else:
        import shutil

        shutil.rmtree(folder / "out")
    assert list(folder.iterdir()) == [archive]
    assert list(tmp_path.iterdir()) == [folder]


def test_replace_merges_folders_and_replaces_files(tmp_path: Path) -> None:
    first = write_zip(tmp_path / "1.zip", {"d/a": b"old a", "d/b": b"b", "e": b"e"})
    second = write_zip(tmp_path / "2.zip", {"d/a": b"new a", "d/sub/c": b"c"})
    extract(first, tmp_path / "out")
    with pytest.raises(FileExistsError, match="holds d already"):
        extract(second, tmp_path / "out")
    extract(second, tmp_path / "out", replace=True)
    assert content_of(tmp_path / "out") == {
        "d/a": b"new a",
        "d/b": b"b",
        "d/sub/c": b"c",
        "e": b"e",
    }


def test_replace_puts_no_file_in_place_of_a_folder(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"d": b"file"})
    (tmp_path / "out" / "d").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="is a folder"):
        extract(archive, tmp_path / "out", replace=True)
    assert (tmp_path / "out" / "d").is_dir()
