"""Check digits of numbers that belong to a person or an account. Each function takes the number
without spaces and signs.
"""

import re

_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
# Visa, Mastercard (two ranges), American Express, Diners, JCB, Discover.
_CARDS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|5\d\d|4[4-9]\d)\d{12}"
)
_IBANS = (
    "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BR:29 CH:21 CR:22 CY:28 CZ:24 DE:22"
    " DK:18 DO:28 EE:20 ES:24 FI:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HR:21 HU:28"
    " IE:22 IL:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LI:21 LT:20 LU:20 LV:21 MC:27 MD:24 ME:22"
    " MK:19 MR:27 MT:31 MU:30 NL:18 NO:15 PK:24 PL:28 PT:25 QA:29 RO:24 RS:22 SA:24 SE:24 SI:19"
    " SK:24 SM:27 TN:24 TR:26 UA:29 VG:24 XK:20"
)
_IBAN_LENGTHS = dict(pair.split(":") for pair in _IBANS.split())


def is_card(digits: str) -> bool:
    """A payment card: a range of a known network, and Luhn's check (ISO/IEC 7812)."""
    return bool(_CARDS.fullmatch(digits)) and luhn(digits)


def luhn(digits: str) -> bool:
    """Every second digit from the right is doubled; the sum of all digits ends in 0."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(number: str) -> bool:
    """ISO 13616: the country's length, and 1 modulo 97 with the first four at the end."""
    if _IBAN_LENGTHS.get(number[:2]) != str(len(number)) or not number.isalnum():
        return False
    # 98 minus a rest of 97: other check digits would be congruent, but nobody issues them.
    if not "02" <= number[2:4] <= "98":
        return False
    moved = number[4:] + number[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def is_us_social_security(digits: str) -> bool:
    """No check digit, but areas 000, 666 and 900 to 999 were never given out, nor 00 and 0000."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def is_german_tax_id(digits: str) -> bool:
    """Eleven digits: the first is not 0, one of the first ten is repeated, ISO 7064 mod 11, 10."""
    if len(digits) != 11 or digits[0] == "0":
        return False
    counts = sorted(digits[:10].count(digit) for digit in set(digits[:10]))
    if counts[-1] not in (2, 3) or counts[:-1] != [1] * (len(counts) - 1):
        return False
    product = 10
    for digit in digits[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_spanish_id(number: str) -> bool:
    """DNI and NIE: a letter for the number modulo 23; X, Y and Z stand for 0, 1 and 2."""
    body = number[0].translate(str.maketrans("XYZ", "012")) + number[1:-1]
    return len(number) == 9 and body.isdigit() and _DNI[int(body) % 23] == number[-1]


def is_french_social_security(number: str) -> bool:
    """NIR: 97 minus the first thirteen digits modulo 97. Corsica's 2A and 2B count as 19 and 18."""
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return (
        len(number) == 15
        and body.isdigit()
        and number[13:].isdigit()
        and number[0] in "12"
        and 97 - int(body) % 97 == int(number[13:])
    )


def is_dutch_citizen_number(digits: str) -> bool:
    """BSN: weights 9 to 2 and -1 give a multiple of 11."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return total % 11 == 0 and int(digits) > 0


def is_british_health_number(digits: str) -> bool:
    """NHS: weights 10 to 2, and 11 minus the rest modulo 11 is the last digit."""
    total = sum(
        int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)
    )
    check = 11 - total % 11
    return check != 10 and check % 11 == int(digits[9])


def is_polish_person_number(digits: str) -> bool:
    """PESEL: weights 1, 3, 7, 9 over ten digits, and the last makes the sum end in 0."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return total % 10 == 0 and 1 <= int(digits[2:4]) % 20 <= 12
