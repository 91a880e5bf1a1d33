"""Files that cannot be read, known by their first bytes: what each is, and what to do with it."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_UNPACK = gettext_lazy("The file is packed with %(kind)s. Unpack it and import the file in it.")
_CONVERT = gettext_lazy(
    "The file is in the format of %(kind)s. Save it as Parquet, JSON lines or CSV."
)
_XLS = gettext_lazy("The file is an old workbook (XLS). Save it as XLSX or CSV.")
_PDF = gettext_lazy("The file is a PDF, which has no rows. Import the data that it was made from.")
_LFS = gettext_lazy("The file is only a Git LFS pointer. Download the file that it points to.")
_SIGNATURES: tuple[tuple[bytes, str, Promise], ...] = (
    *((b"BZh%d1AY&SY" % level, "bzip2", _UNPACK) for level in range(1, 10)),
    (b"\xfd7zXZ\0", "xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "Zstandard", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", _UNPACK),
    (b"Rar!\x1a\x07", "RAR", _UNPACK),
    (b"\x04\x22\x4d\x18", "LZ4", _UNPACK),
    (b"ARROW1\0\0", "Arrow", _CONVERT),
    (b"\xff\xff\xff\xff", "Arrow", _CONVERT),
    (b"Obj\x01", "Avro", _CONVERT),
    (b"SQLite format 3\0", "SQLite", _CONVERT),
    (b"\x89HDF\r\n", "HDF5", _CONVERT),
    (b"\x93NUMPY", "NumPy", _CONVERT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1", "XLS", _XLS),
    (b"%PDF-", "PDF", _PDF),
    (b"version https://git-lfs", "Git LFS", _LFS),
)
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_TAR = (257, b"ustar")
_PAGES = (b"<!doctype html", b"<html")


def sentence_for(beginning: bytes) -> str:
    """What to do with a file that begins so; empty if it may be one that can be read."""
    for signature, kind, sentence in _SIGNATURES:
        if beginning.startswith(signature):
            return str(sentence) % {"kind": kind}
    if beginning.startswith(_PICKLES):
        return str(_CONVERT) % {"kind": "Python pickle"}
    if beginning[_TAR[0] :].startswith(_TAR[1]):
        return str(_UNPACK) % {"kind": "tar"}
    if beginning.lstrip()[:20].lower().startswith(_PAGES):
        return _(
            "The file is a web page, perhaps of a log-in or an error. Download the file itself."
        )
    return ""
