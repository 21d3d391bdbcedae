"""The names of languages by their codes of ISO 639-1."""

from django.conf.locale import LANG_INFO

# Those of models that Django is not translated into.
MORE = {
    "am": "Amharic",
    "as": "Assamese",
    "gu": "Gujarati",
    "ha": "Hausa",
    "jv": "Javanese",
    "ku": "Kurdish",
    "la": "Latin",
    "lo": "Lao",
    "mg": "Malagasy",
    "om": "Oromo",
    "or": "Odia",
    "ps": "Pashto",
    "sa": "Sanskrit",
    "sd": "Sindhi",
    "si": "Sinhala",
    "so": "Somali",
    "su": "Sundanese",
    "tl": "Tagalog",
    "xh": "Xhosa",
    "yi": "Yiddish",
    "zh": "Chinese",
}


def language_name(code: str) -> str:
    """The code itself where nobody here knows its name."""
    return MORE.get(code) or str(LANG_INFO.get(code, {}).get("name", code))
