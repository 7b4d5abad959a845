"""Guesses what a file that is not UTF-8 text is: another encoding, or no text at all, and how to make text of it.

The guess is never acted on by itself: it is shown with a sample of how the text would read, and the user decides.
"""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass
from pathlib import Path

from rnnplay.common.commands import quoted
from rnnplay.common.terminal_text import sanitize_name
from rnnplay.errors import InputError

SAMPLE = 1 << 16
"""Bytes examined at the beginning, and around the byte that does not fit."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a file seems to be."""

    what: str
    """ "a PDF", "Windows-1252 (Western European)"."""
    encoding: str = ""
    """Python's name of the encoding, if the file is text."""
    excerpt: str = ""
    """The text around the byte that is not UTF-8, decoded in that encoding."""
    mend: str = ""
    """How to make a text of it, if it is none."""


_PANDOC = "make a text of it with `pandoc -t plain -o {text} {file}`"
_HEADS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"%PDF-", "a PDF", "make a text of it with `pdftotext {file} {text}`"),
    (0, b"\x1f\x8b", "compressed with gzip", "unpack it with `gzip -dc {file} > {inner}`"),
    (0, b"BZh", "compressed with bzip2", "unpack it with `bzip2 -dc {file} > {inner}`"),
    (0, b"\xfd7zXZ\0", "compressed with xz", "unpack it with `xz -dc {file} > {inner}`"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it with `zstd -dc {file} > {inner}`"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it with `7z x {file}`"),
    (0, b"Rar!\x1a\x07", "a RAR archive", "unpack it with `unrar x {file}`"),
    (257, b"ustar", "a tar archive", "unpack it with `tar -xf {file}`"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Word, Excel or PowerPoint file", "save it as plain text there"),
    (0, b"\x89PNG", "an image", ""),
    (0, b"\xff\xd8\xff", "an image", ""),
    (0, b"GIF8", "an image", ""),
    (0, b"II*\0", "an image", ""),
    (0, b"MM\0*", "an image", ""),
    (8, b"WEBP", "an image", ""),
    (8, b"WAVE", "a sound", ""),
    (0, b"ID3", "a sound", ""),
    (0, b"OggS", "a sound or a video", ""),
    (4, b"ftyp", "a video or a sound", ""),
    (0, b"PAR1", "a Parquet table", "export its column of text"),
    (0, b"ARROW1", "an Arrow table", "export its column of text"),
    (0, b"SQLite format 3\0", "an SQLite database", "export its text"),
    (0, b"\x89HDF\r\n", "an HDF5 file", "give the text that it was made of"),
    (0, b"\x93NUMPY", "a NumPy array", "give the text that it was made of"),
    (0, b"\x7fELF", "a program", ""),
    (0, b"MZ", "a program", ""),
    (0, b"\xcf\xfa\xed\xfe", "a program", ""),
)
_IN_ZIP = (
    (b"word/document.xml", "a Word document (.docx)", _PANDOC),
    (b"application/vnd.oasis.opendocument.text", "an OpenDocument text (.odt)", _PANDOC),
    (b"application/epub+zip", "an EPUB book", _PANDOC),
    (b"xl/workbook.xml", "an Excel workbook (.xlsx)", "save it as text there"),
    (b"ppt/presentation.xml", "a PowerPoint file (.pptx)", "save it as text there"),
    (b"/data.pkl", "weights of PyTorch", "give the text that the model was trained on"),
)


@dataclass(frozen=True, slots=True)
class _Script:
    """An encoding, and the letters that text in it mostly consists of."""

    encoding: str
    what: str
    typical: frozenset[str]
    least: float
    """The fraction of non-ASCII characters that must be typical for the encoding to be considered."""
    joined: bool = False
    """Whether these letters form words of their own instead of standing between ASCII letters."""


_KANA = frozenset(map(chr, range(0x3041, 0x30FF)))
_HANGUL = frozenset(map(chr, range(0xAC00, 0xD7A4)))
_SIMPLE = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里，。、：“”"
)
_TRADITIONAL = frozenset(
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡，。、：「」"
)
_RUSSIAN = frozenset("оеаинтсрвл")
_GREEK = frozenset("αοιετσνηυρκπςάέήίόύώ")
_HEBREW = frozenset("יוהלאבמתרםש")
_EASTERN = frozenset("ąćęłńóśźżáčďéěíňřšťúůýžôľĺŕäöüőűăâîșțşţđ") | frozenset("„”–")
_TURKISH = frozenset("ğışçöüİâî")
_WESTERN = frozenset("àâäáãåæçèéêëìíîïñòóôõöøùúûüýÿßœ“”‘’–—")
_WINDOWS = _WESTERN | frozenset("ÀÂÄÁÃÅÆÇÈÉÊËÍÎÑÓÔÖØÚÜŒ…€«»°·¡¿£§©®™•\xa0´²½")
_OF_UTF16 = _SIMPLE | _TRADITIONAL | _KANA | _RUSSIAN | _GREEK | _HEBREW

_CONTROLS = bytes(byte for byte in (*range(32), 127) if byte not in b"\t\n\v\f\r\x1a\x1b")
"""Without the ends of lines and pages, DOS's end of a file, and escape, with which some encodings switch alphabets."""

_SCRIPTS = (
    _Script("shift_jis", "Shift-JIS (Japanese)", _KANA, 0.25),
    _Script("euc_jp", "EUC-JP (Japanese)", _KANA, 0.25),
    _Script("euc_kr", "EUC-KR (Korean)", _HANGUL, 0.7),
    _Script("gb18030", "GBK or GB18030 (Chinese)", _SIMPLE, 0.15),
    _Script("big5", "Big5 (Chinese)", _TRADITIONAL, 0.15),
    _Script("cp1251", "Windows-1251 (Cyrillic)", _RUSSIAN, 0.5, joined=True),
    _Script("koi8_r", "KOI8-R (Cyrillic)", _RUSSIAN, 0.5, joined=True),
    _Script("cp866", "code page 866 (Cyrillic)", _RUSSIAN, 0.5, joined=True),
    _Script("cp1253", "Windows-1253 (Greek)", _GREEK, 0.5, joined=True),
    _Script("cp1255", "Windows-1255 (Hebrew)", _HEBREW, 0.5, joined=True),
    _Script("cp1252", "Windows-1252 (Western European)", _WINDOWS, 0.6),
    _Script("cp1250", "Windows-1250 (Central European)", _EASTERN, 0.6),
    _Script("iso8859_2", "ISO 8859-2 (Central European)", _EASTERN, 0.6),
    _Script("cp1254", "Windows-1254 (Turkish)", _TURKISH, 0.6),
    _Script("mac_roman", "Mac Roman (Western European)", _WESTERN, 0.6),
    _Script("cp437", "code page 437 (DOS)", _WESTERN, 0.6),
)


def encoding_name(named: str) -> str:
    """Returns Python's name of the encoding `named`; raises InputError if there is none."""
    try:
        found = codecs.lookup(_ALIASES.get(named.strip().lower(), named.strip()))
        "".encode(found.name)  # LookupError for codecs that are not text encodings, such as base64
    except (LookupError, ValueError):
        found = None
    if found is None or found.name.replace("_", "-") in _NO_ENCODINGS:
        raise InputError(
            f"There is no encoding {sanitize_name(named)[:40]!r}; write utf-8, cp1252 (Windows, Western), latin-1, "
            "utf-16-le, gb18030 (GBK), big5, shift_jis, koi8_r, cp1251, or another that Python knows."
        )
    return found.name


_ALIASES = {"ansi": "cp1252", "unicode": "utf-16", "gbk": "gb18030", "gb2312": "gb18030"}
"""Names that other programs use; GB18030 includes the other two."""
_NO_ENCODINGS = ("unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined", "utf-7")


def guess(path: Path, offset: int) -> Guess | None:
    """Guesses what the file at `path`, not UTF-8 at `offset`, is; None if nothing fits. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(max(0, size - SAMPLE))
        tail = file.read(SAMPLE)
        start = max(0, offset - SAMPLE // 2)
        file.seek(start)
        around = file.read(SAMPLE)
    return (
        _no_text(path, head, tail)
        or _damaged(around)  # before UTF-16: pairs of UTF-8 bytes look like Hangul
        or _unmarked_utf16(head, size)
        or _binary(around)
        or _other_encoding(around, offset - start)
    )


def _no_text(path: Path, head: bytes, tail: bytes) -> Guess | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        for name, what, mend in _IN_ZIP:
            if name in head or name in tail:
                return Guess(what, mend=_filled(mend, path))
        return Guess("a ZIP archive", mend=_filled("unpack it with `unzip {file}`", path))
    for at, mark, what, mend in _HEADS:
        if head[at : at + len(mark)] == mark and (mark != b"MZ" or b"\0" in head):
            return Guess(what, mend=_filled(mend, path) or "give a text file")
    return None


def _filled(mend: str, path: Path) -> str:
    text = path.with_suffix(".txt") if path.suffix != ".txt" else path.with_name(f"{path.stem}-text.txt")
    inner = path.with_suffix("") if path.suffix in (".gz", ".bz2", ".xz", ".zst") else text
    return mend.format(file=_argument(path), text=_argument(text), inner=_argument(inner))


def _argument(path: Path) -> str:
    return quoted(f"./{path}" if str(path).startswith("-") else str(path))


def _unmarked_utf16(head: bytes, size: int) -> Guess | None:
    """Whether this is UTF-16: whole characters, all printable, of which enough are common ones.

    Of pairs of random bytes most are printable, too, as Han characters; one in a hundred is common, one in six Hangul.
    """
    if size % 2:
        return None
    for encoding, order in (("utf-16-le", "little"), ("utf-16-be", "big")):
        text = codecs.getincrementaldecoder(encoding)("replace").decode(head)  # the sample's end may cut a character
        common = sum(character < "\x7f" or character in _OF_UTF16 for character in text)
        hangul = sum(character in _HANGUL for character in text)
        korean = hangul > common and common + hangul >= max(8, 0.6 * len(text))
        if (korean or common >= max(2, min(3, len(text)), 0.2 * len(text))) and all(map(_is_text, text)):
            return Guess(f"UTF-16 ({order}-endian) without a byte order mark", encoding, _quoted(text, 0))
    return None


def _binary(sample: bytes) -> Guess | None:
    """Whether one byte in a hundred is a control character that texts do not have; a zero byte is told by itself."""
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if b"\0" in sample or controls < max(1, 0.01 * len(sample)):
        return None
    return Guess("binary data", mend="give a text file")


def _other_encoding(sample: bytes, offset: int) -> Guess | None:
    if b"\0" in sample:
        return None
    sample, cut = _whole_lines(sample)
    offset -= cut
    rated = [(_rating(sample, script), script) for script in _SCRIPTS]
    rating, script = max(rated, key=lambda pair: pair[0])
    if not rating:
        return None
    what = script.what
    if script.encoding == "cp1252" and not any(0x80 <= byte < 0xA0 for byte in sample):
        what = "Windows-1252 or Latin-1 (Western European)"
    decoder = codecs.getincrementaldecoder(script.encoding)("ignore")
    before = decoder.decode(sample[:offset])
    return Guess(what, script.encoding, _quoted(before + decoder.decode(sample[offset:], True), len(before)))


def _damaged(sample: bytes) -> Guess | None:
    """Whether this is UTF-8 with a few invalid bytes: more of its non-ASCII bytes are valid than not."""
    if b"\0" in sample:
        return None
    text = sample.decode("utf-8", "surrogateescape")
    broken = sum("\udc80" <= character <= "\udcff" for character in text)
    beyond = sum(character > "\x7f" for character in text) - broken
    return Guess("UTF-8 with damaged places", "utf-8") if beyond > 3 * broken else None


def _rating(sample: bytes, script: _Script) -> float:
    """Rates how well `sample` fits that script: 0 if it does not, larger the more probable."""
    try:
        text = sample.decode(script.encoding)
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:  # otherwise the sample's end has cut a character
            return 0.0
        text = sample[: error.start].decode(script.encoding)
    beyond = [at for at, character in enumerate(text) if character > "\x7f"]
    if not beyond or any("\x80" <= text[at] <= "\x9f" for at in beyond):
        return 0.0
    fraction = sum(text[at] in script.typical for at in beyond) / len(beyond)
    if fraction < script.least:
        return 0.0
    if script.joined and _mostly_alone(text, [at for at in beyond if text[at].isalpha()]):
        return 0.0
    return (
        fraction if script.typical in (_WINDOWS, _WESTERN, _EASTERN, _TURKISH) else 1 + fraction
    )  # the more restrictive ones first


def _mostly_alone(text: str, letters: list[int]) -> bool:
    """Whether many of these non-ASCII letters stand between ASCII ones, as in French, not in words of their own."""
    padded = f" {text} "
    alone = sum(padded[at] <= "\x7f" and padded[at + 2] <= "\x7f" for at in letters)
    return alone > 0.3 * len(letters)


def _whole_lines(sample: bytes) -> tuple[bytes, int]:
    """`sample` from its second line on, for the first may begin within a character; and the bytes left out."""
    cut = sample.find(b"\n") + 1
    return (sample[cut:], cut) if len(sample) == SAMPLE and 0 < cut < SAMPLE // 4 else (sample, 0)


def _is_text(character: str) -> bool:
    return (character.isprintable() and character != "\ufffd") or character in "\t\n\r\f"


def _quoted(text: str, at: int) -> str:
    """Quotes the text around `at` on one line."""
    return sanitize_name(" ".join(text[max(0, at - 12) : at + 28].split()))
