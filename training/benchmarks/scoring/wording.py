"""Whether two texts say the same: case, width, spaces and quotation marks aside."""

import unicodedata

_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "`": "'", "´": "'"})


def normalised(text: str) -> str:
    """`text` in small letters, with plain quotes and single spaces, without marks at its ends."""
    plain = plain_text(text)
    return plain.strip(" .,;:!?*_\"'()[]")


def plain_text(text: str) -> str:
    """`text` in small letters, with plain quotes and single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold().split())


def holds(text: str, part: str) -> bool:
    """Whether `part` stands in `text` as whole words: “4” stands in neither “14” nor “4.5”."""
    haystack, sought = plain_text(text), normalised(part)
    if not sought:
        return False
    at = haystack.find(sought)
    while at >= 0:
        end = at + len(sought)
        if not _goes_on(sought[-1], haystack[end : end + 2]) and not _goes_on(
            sought[0], haystack[max(at - 2, 0) : at][::-1]
        ):
            return True
        at = haystack.find(sought, at + 1)
    return False


def _goes_on(edge: str, beyond: str) -> bool:
    """Whether the word or number that ends with `edge` goes on in the two characters beyond."""
    if edge.isdigit() and len(beyond) == 2 and beyond[0] in ".,":
        return beyond[1].isdigit()
    return bool(beyond) and _is_of_words(edge) and _is_of_words(beyond[0])


def _is_of_words(character: str) -> bool:
    """Whether spaces stand between words of it: not so in Chinese, Japanese or Thai, say."""
    return character.isalnum() and unicodedata.category(character) != "Lo"
