"""What an unquoted word means, and which words are refused."""

from __future__ import annotations

import pytest

from admf_cli.config.scalars import LARGEST_INTEGER, ScalarError, resolve


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nULL", "nULL"),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("No", "No"),
        ("off", "off"),
        ("y", "y"),
        ("0", 0),
        ("-0", 0),
        ("+7", 7),
        ("0o17", 15),  # 1 x 8 + 7
        ("0x1F", 31),  # 1 x 16 + 15
        ("1e-3", 0.001),
        ("1.5E6", 1_500_000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("0.10", 0.1),
        ("1_000", "1_000"),
        ("1,000", "1,000"),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("2000-01-01", "2000-01-01"),
        ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
        ("5%", "5%"),
        ("٣", "٣"),  # an Arabic three is no digit of YAML
        (str(LARGEST_INTEGER), LARGEST_INTEGER),
    ],
)
def test_a_word_means_what_yaml_1_2_says(text: str, meaning: object) -> None:
    found = resolve(text)
    assert found == meaning
    assert type(found) is type(meaning)


@pytest.mark.parametrize(
    ("text", "rule", "remedy"),
    [
        ("010", "must not begin with 0", "write 10 or 0o10 (octal)"),
        ("089", "must not begin with 0", 'write 89, or "089" in quotes'),
        ("-007", "must not begin with 0", "write 7"),
        ("01.5", "must not begin with 0", "write 1.5"),
        (".nan", "finite", "null"),
        ("-.INF", "finite", "null"),
        ("1e400", "too large", "smaller"),
        ("-1e999999999", "too large", "smaller"),
        (str(LARGEST_INTEGER + 1), "too large", "smaller"),
        ("9" * 5000, "too large", "smaller"),
        ("0x" + "f" * 5000, "too large", "smaller"),
        ("1e-400", "too small", "0"),
    ],
)
def test_a_word_with_two_readings_or_no_finite_one_is_refused(text: str, rule: str, remedy: str) -> None:
    with pytest.raises(ScalarError) as caught:
        resolve(text)
    assert rule in caught.value.rule
    assert remedy in caught.value.remedy
