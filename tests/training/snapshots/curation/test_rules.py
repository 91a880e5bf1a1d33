"""What each rule says about a text, its value and its threshold."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from training.snapshots.curation.rules import checksums, phrases
from training.snapshots.curation.rules.contamination import Decontamination, Item, against
from training.snapshots.curation.rules.language import UNKNOWN, Language, language_of
from training.snapshots.curation.rules.personal_data import (
    Keys,
    PersonalData,
    masked,
    personal_data,
    shown,
)
from training.snapshots.curation.rules.phrases import Blocklist, Boilerplate
from training.snapshots.curation.rules.quality import (
    C4Quality,
    FineWebQuality,
    GopherQuality,
    Length,
)
from training.snapshots.curation.rules.repetition import Repetition
from training.snapshots.curation.rules.verdicts import Text

PROSE = (
    "The miller went to the market and bought bread of the best kind. He had to wait for an hour,"
    " because the carts came late that morning. With him was a boy who carried the sacks. They"
    " spoke about the weather, and about the price of corn. Nobody could be sure that it would"
    " rain before the harvest was over. In the evening they drove home through the forest."
)


def kinds(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in personal_data(text)]


def test_prose_passes_every_quality_rule() -> None:
    rules = (Length(), GopherQuality(), C4Quality(), FineWebQuality(), Repetition(), Language())

    assert [rule(Text(PROSE)) for rule in rules] == [None] * 6


@pytest.mark.parametrize(
    ("text", "rule", "found"),
    [
        ("Too short.", Length(200), ("length.min", 10, 200)),
        ("of the word", GopherQuality(), ("gopher_quality.words", 3, 50)),
        ("a b " * 40, GopherQuality(), ("gopher_quality.mean_word", 1.0, 3)),
        ("house " * 60, GopherQuality(), ("gopher_quality.stop_words", 0, 2)),
        ("- the house of stone\n" * 20, GopherQuality(), ("gopher_quality.bullet_lines", 1.0, 0.9)),
        ("One sentence that stands alone.", C4Quality(), ("c4_quality.sentences", 1, 5)),
        ("Here is lorem ipsum again.", C4Quality(), ("c4_quality.lorem_ipsum", 1, 0)),
        ("function () { return it; }.", C4Quality(), ("c4_quality.braces", 1, 0)),
        ("menu\nhome\nabout", FineWebQuality(), ("fineweb_quality.ended_lines", 0.0, 0.12)),
        ("Same line.\n" * 4, Repetition(), ("repetition.lines", 0.6, 0.3)),
        ("round and round it goes " * 9, Repetition(), ("repetition.top_2_gram", 0.375, 0.2)),
    ],
)
def test_a_rule_says_its_value_and_its_threshold(
    text: str, rule: GopherQuality, found: tuple[str, float, float]
) -> None:
    verdict = rule(Text(text))

    assert verdict is not None
    assert (verdict.rule, verdict.value, verdict.threshold) == found


def test_a_threshold_that_is_off_removes_nothing() -> None:
    assert Length(None)(Text("x")) is None
    assert (
        GopherQuality(min_words=None)(Text("The harvest and the weather have that in common."))
        is None
    )


def test_of_a_short_answer_any_two_words_are_a_large_share() -> None:
    text = Text("Extraordinarily incomprehensible.")

    assert Repetition()(text) is not None
    assert Repetition(top_grams=())(text) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (PROSE, "en"),
        ("Der alte Fischer wartete am Ufer auf das Boot, das jeden Abend kam.", "de"),
        ("Where is it?", UNKNOWN),
        ("2 + 2 = 4; 3 * 3 = 9; 10 / 5 = 2; 7 - 4 = 3; 8 * 8 = 64; 1 + 1 = 2", UNKNOWN),
    ],
)
def test_a_language_is_named_or_unknown(text: str, language: str) -> None:
    assert language_of(text)[0] == language


def test_short_texts_stay_whatever_their_language() -> None:
    assert Language(("en",))(Text("Guten Tag!")) is None
    assert Language(("en",), removes_unknown=True)(Text("Guten Tag!")) is not None


# Numbers from the documentation of their issuers, or made up with right check digits.
@pytest.mark.parametrize(
    "code",
    [
        "use a::b::{c, d, e::f};",
        "<S as T1>::f() and Vec::<A>::a()",
        "face::cafe, dead::beef::add() and std::b::c",
        "a::b = c::d",
        "/lib/4.12.30.1/",
        "https://cdn.example.com/jquery/4.12.30.1/min.js",
        "C:\\tools\\4.12.30.1\\bin",
        "Version 4.12.30.1",
        "version: 4.12.30.1",
        'Culture=neutral, Version=4.12.30.1"',
        "ver. 4.12.30.1 and release 4.12.30.2, v 4.12.30.3, v4.12.30.4",
    ],
)
def test_paths_in_code_are_no_addresses(code: str) -> None:
    assert [kind for kind, _text in kinds(code) if kind == "ip"] == []


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("http://93.184.216.34/x", ["93.184.216.34"]),
        ("ftp://anna@93.184.216.34:21/", ["93.184.216.34"]),
        (r'{"url": "http:\/\/93.184.216.34\/x"}', ["93.184.216.34"]),
        (
            "at 93.184.216.34, DNS 93.184.216.34/8.8.4.4",
            ["93.184.216.34", "93.184.216.34", "8.8.4.4"],
        ),
        ("the new version is at 93.184.216.34/24", ["93.184.216.34"]),
        ("the driver. 93.184.216.34", ["93.184.216.34"]),
    ],
)
def test_addresses_beside_slashes_and_words_are_found(text: str, addresses: list[str]) -> None:
    assert [found for kind, found in kinds(text) if kind == "ip"] == addresses


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write to anna.k@posteo.net today.", [("email", "anna.k@posteo.net")]),
        (
            "Call +49 30 901820, or (212) 736-5000.",
            [("phone", "+49 30 901820"), ("phone", "(212) 736-5000")],
        ),
        ("My phone is 2127365000.", [("phone", "2127365000")]),
        ("IBAN DE89 3704 0044 0532 0130 00 in Berlin", [("iban", "DE89 3704 0044 0532 0130 00")]),
        ("Card 4111 1111 1111 1111.", [("card", "4111 1111 1111 1111")]),
        (
            "From 8.8.8.8 and 2001:4860:4860::8888",
            [("ip", "8.8.8.8"), ("ip", "2001:4860:4860::8888")],
        ),
        ("SSN 536-90-4399", [("national_id", "536-90-4399")]),
        ("DNI 12345678Z", [("national_id", "12345678Z")]),
        ("Steuer-ID: 86095742719", [("national_id", "86095742719")]),
        ("BSN 111222333", [("national_id", "111222333")]),
        ("NHS number 943 476 5919", [("national_id", "943 476 5919")]),
        ("PESEL 44051401359", [("national_id", "44051401359")]),
        ("NIR 2 55 08 14 168 025 38", [("national_id", "2 55 08 14 168 025 38")]),
    ],
)
def test_personal_data_is_found_by_form_and_check_digits(
    text: str, found: list[tuple[str, str]]
) -> None:
    assert kinds(text) == found


@example(ipaddress.ip_address("8.8.8.8"))
@given(
    (st.ip_addresses(v=4) | st.ip_addresses(network="2000::/3")).filter(
        lambda address: address.is_global and not str(address).endswith("::")
    )
)
def test_an_address_is_found_where_nothing_else_is(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    assert kinds(f"Ask {address}, please.") == [("ip", str(address))]


@pytest.mark.parametrize(
    "text",
    [
        "help@example.com",
        "Order 123456789 and part 2127365000.",
        "Card 4111 1111 1111 1112.",
        "IBAN DE88 3704 0044 0532 0130 00",
        "DE00501828455198547454",
        "10.0.0.1, 192.168.1.1, 127.0.0.1, 300.1.1.1, version 1.2.3.4.5",
        "SSN 666-12-1234 or 000-12-3456",
        "12345678A",
        "111222333",
        "from 1914-1918 to 1939-1945, ISBN 978-3-16-148410-0",
        "1,234,567.00 and 3.14159265358979",
    ],
)
def test_what_only_looks_like_personal_data_stays(text: str) -> None:
    assert kinds(text) == []


def test_an_iban_needs_check_digits_that_a_bank_would_give() -> None:
    assert checksums.is_iban("DE89370400440532013000")
    assert checksums.is_iban("GB82WEST12345698765432")
    assert not checksums.is_iban("DE00501828455198547454")


def test_personal_data_is_masked_or_removes_the_text() -> None:
    text = Text("Write to anna.k@posteo.net today.")

    changed, removed = PersonalData()(text), PersonalData(removes=True)(text)

    assert changed is not None
    assert (changed.is_removed, changed.text) == (False, "Write to <EMAIL> today.")
    assert removed is not None
    assert (removed.is_removed, removed.text) == (True, None)


@pytest.mark.parametrize(
    "key",
    [
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "ghp_" + "a1B2" * 9,
        "hf_" + "abcdeFGHIJ" * 3,
        "sk-proj-" + "a1b2c3d4e5" * 3,
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIB\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_keys_are_masked(key: str) -> None:
    verdict = Keys()(Text(f"Use {key} here."))

    assert verdict is not None
    assert verdict.text is not None
    assert key not in verdict.text
    assert verdict.text.endswith("> here.")


def test_a_secret_is_random_and_an_ordinary_word_is_not() -> None:
    assert Keys()(Text('api_key = "x8Qz3Lp0Vt6Rw1Ny5Kd2"')) is not None
    assert Keys()(Text("token: aaaaaaaaaaaaaaaaaaaa1")) is None
    assert Keys()(Text("The secret: neverunderestimatethem")) is None


def test_an_excerpt_says_nothing_personal_even_at_its_end() -> None:
    text = "x" * 190 + " anna.k@posteo.net and more " + "y" * 100

    excerpt = shown(text)

    assert "anna" not in excerpt
    assert excerpt.endswith("<EMAIL>…")
    assert len(excerpt) <= 200


def test_an_excerpt_may_begin_at_a_finding() -> None:
    text = f"{'x ' * 200}anna.k@posteo.net {'y ' * 200}"

    for around in range(380, 430):
        excerpt = shown(text, around=around)
        assert "<EMAIL>" in excerpt
        assert "posteo" not in excerpt


@pytest.mark.parametrize("end", ["", "\n-----END PRIVATE KEY-----"])
def test_no_part_of_a_private_key_is_in_an_excerpt(end: str) -> None:
    body = "\n".join(f"MIIEpAIBAAKCAQEA{n:048}" for n in range(30))

    text = f"Look: -----BEGIN PRIVATE KEY-----\n{body}{end}"

    assert "MII" not in "".join(shown(text, around=at) for at in (0, 300, 1_500))


def test_masks_stand_in_place() -> None:
    text = "a 4111111111111111 b 8.8.8.8 c"

    assert masked(text, personal_data(text)) == "a <CARD> b <IP> c"


def test_blocklists_are_files_with_a_version() -> None:
    assert phrases.names() == ["assistant-1", "spam-1"]
    assert len(phrases.digest_of("spam-1")) == 64
    with pytest.raises(ValueError, match="no blocklist 'other-1'"):
        phrases.phrases_of("other-1")


def test_phrases_are_found_whatever_their_case_and_spacing() -> None:
    verdict = Blocklist()(Text("Now MAKE  money\nfast with it."))

    assert verdict is not None
    assert [(span.start, span.end) for span in verdict.spans] == [(4, 20)]
    assert Blocklist(phrases=("secret sauce",))(Text("Our Secret sauce.")) is not None
    assert Blocklist()(Text("They make money faster than we do.")) is None


def test_an_assistants_way_of_speaking_is_found() -> None:
    assert Boilerplate()(Text("As an AI language model, I cannot.")) is not None
    assert Boilerplate()(Text("Als KI-Modell habe ich keine Meinung.")) is not None
    assert Boilerplate()(Text("He works on an AI model.")) is None


ITEM = "Which of these seven rivers flows north through the old town of the salt miners today"


def test_an_item_inside_a_text_is_found_and_named() -> None:
    looked_for = against([Item("suite/1", ITEM)], Decontamination())

    verdict = looked_for(Text(f"Somebody asked: {ITEM.upper()}? Nobody knew."))

    assert verdict is not None
    assert (verdict.rule, verdict.twin) == ("decontamination.verbatim", "suite/1")


def test_an_item_with_one_word_changed_is_found_by_its_share() -> None:
    looked_for = against([Item("suite/1", ITEM)], Decontamination())

    verdict = looked_for(Text(f"Asked: {ITEM.replace('seven', 'eight')}, and so on."))
    other = looked_for(Text(f"Asked: {' '.join(ITEM.split()[:8])}, and so on."))

    assert verdict is not None
    assert (verdict.rule, verdict.value) == ("decontamination.shared", 0.75)
    assert other is None, "half of the item is not more than half"


def test_common_words_in_different_places_are_not_an_item() -> None:
    looked_for = against([Item("suite/1", ITEM)], Decontamination())
    words = ITEM.split()
    parts, between = (
        (" ".join(words[:8]), " ".join(words[8:])),
        " ".join(f"w{n}" for n in range(40)),
    )

    assert looked_for(Text(f"Asked: {parts[0]} and then, {parts[1]}.")) is not None
    assert looked_for(Text(f"Asked: {parts[0]} {between} {parts[1]}.")) is None
    assert looked_for(Text(f"Asked: {parts[1]} {parts[0]}.")) is None


def test_an_item_is_found_where_it_stands_after_scattered_parts_of_it() -> None:
    looked_for = against([Item("suite/1", ITEM)], Decontamination())
    start, edited = " ".join(ITEM.split()[:8]), ITEM.replace("seven", "eight")

    verdict = looked_for(Text(f"{start} x y z. {start} once more. And now: {edited}."))

    assert verdict is not None
    assert verdict.value == 0.75


def test_the_instructions_of_a_suite_are_not_its_items() -> None:
    instructions = "Read the question below with care and then give the letter of one answer only"
    items = [Item(f"suite/{n}", f"{instructions}: {n} or {n + 1} or {n * n}?") for n in range(11)]

    looked_for = against(items, Decontamination())

    assert looked_for(Text(f"They wrote: {instructions}. Nobody did.")) is None
    found = looked_for(Text(items[4].text))
    assert found is None or found.twin == "suite/4"


def test_short_items_are_counted_not_looked_for() -> None:
    looked_for = against([Item("suite/1", "Two and two is four")], Decontamination())

    assert looked_for.n_too_short == 1
    assert looked_for(Text("Two and two is four.")) is None
