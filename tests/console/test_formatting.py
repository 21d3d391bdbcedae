from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from console.templatetags import console as tags
from inference.services import SERVICES

ICONS = (settings.BASE_DIR / "static" / "vendor" / "icons.svg").read_text()


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (91_335_235, "91.3 MB"), (2.5e9, "2.5 GB")],
)
def test_sizes_have_one_decimal_and_a_unit(size: float, words: str) -> None:
    assert tags.data_size(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "about 1 s"), (11.2, "about 11 s"), (200, "about 3 min")]
)
def test_time_left_is_rough(seconds: float, words: str) -> None:
    assert tags.time_left(seconds) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(3.21, "3.2 ms"), (48.4, "48 ms"), (1430, "1.4 s")]
)
def test_time_taken_has_two_digits_or_so(milliseconds: float, words: str) -> None:
    assert tags.took(milliseconds) == words


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=40), "just now"),
        (timedelta(minutes=1, seconds=5), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=2, hours=3), "2 days ago"),
    ],
)
def test_ages_are_one_number(age: timedelta, words: str) -> None:
    assert tags.ago(timezone.now() - age) == words


@pytest.mark.parametrize(
    ("label", "letters"),
    [("Hugging Face", "HF"), ("Cohere", "Co"), ("DeepSeek", "DS"), ("IBM watsonx", "IB")],
)
def test_a_service_without_a_symbol_has_two_letters(label: str, letters: str) -> None:
    assert tags.monogram(label) == letters


def test_every_service_has_a_mark_that_stays_the_same() -> None:
    marks = {name: tags.service_icon(name) for name in SERVICES}

    assert marks == {name: tags.service_icon(name) for name in SERVICES}
    assert all("#brand-" in marks[name] for name in tags.BRANDS)
    assert ">Co</text>" in marks["cohere"]
    assert all(f'id="brand-{brand}"' in ICONS for brand in tags.BRANDS.values())
    assert "<b>" not in tags.service_icon("<b>")


def test_what_is_not_known_is_shown_as_it_is() -> None:
    assert tags.task_label("new_task") == "new_task"
    assert tags.source_label("elsewhere") == "elsewhere"
    assert tags.language_names(("en", "xx-unknown")) == "English, xx-unknown"
    assert tags.language_names(("en",) * 6) == "6 languages"
    assert tags.setting_label("input_type") == "Input type"


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("endpoint.update", "Update endpoint"),
        ("key.create", "Create API key"),
        ("region_policy.put", "Set region policy"),
        ("person.password.reset", "Reset password"),
        ("limit.raise", "Raise limit"),
    ],
)
def test_what_was_done_is_told_in_words(verb: str, words: str) -> None:
    assert tags.verb_label(verb) == words
