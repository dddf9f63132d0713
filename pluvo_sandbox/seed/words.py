"""Names and titles as they occur: several alphabets, quotes, commas, line breaks."""

# ruff: noqa: RUF001 - letters that look like others are the point

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

# Given names and family names that go together.
_PEOPLE = (
    (
        ("Jan", "Anna", "Sofie", "Daan", "Fleur", "Noor", "Bram", "Zoë", "Loïs", "Björn"),
        ("de Vries", "van den Berg", "Jansen", "'t Hooft", "Bakker", "IJzerman", "van Dijk-Smit"),
    ),
    (
        ("Mary", "John", "Siobhán", "Renée", "José", "Łukasz", "Jürgen", "Çağla", "Ingrid"),
        ("O'Brien", "Smith", "Müller", "Núñez", "Wiśniewski", "Åström", "Yılmaz", "Đorđević"),
    ),
    (("Αλέξανδρος", "Ελένη", "Νίκος"), ("Παπαδόπουλος", "Γεωργίου")),
    (("Иван", "Ольга", "Олександр"), ("Иванов", "Щербакова", "Шевченко")),
    (("فاطمة", "محمد", "ليلى"), ("الأحمد", "بن علي")),
    (("明", "小芳", "伟"), ("王", "李", "歐陽")),
    (("太郎", "さくら", "ケン"), ("山田", "佐藤")),
    (("דוד", "שרה"), ("כהן", "לוי")),
    (("अमित", "प्रिया"), ("शर्मा", "पटेल")),
    (("지훈", "민서"), ("김", "이")),
)

# Names that break what does not quote or trim with care; one user in eight has one of these.
_AWKWARD = (
    'Jan "Jantje" de Wit',
    "Berg, Anna van den",
    "Anna\nMaria Smit",
    "Müller; Söhne\tGmbH",
    "back\\slash \\N",
    "=1+1 Formula",
    "NULL",
    "  spaced  out  ",
    "Noa 🌷 Bloem",
    "{{ name }} $PATH %s",
    'O\'Neil, "Pat"\r\nSecond line',
    "<b>Bold</b> & Sons",
)

TRAININGS = (
    "Veilig werken",
    'Leiderschap: "de basis"',
    "EHBO, herhaling",
    "GDPR / AVG",
    "Ασφάλεια στην εργασία",
    "Projectmanagement (PRINCE2®)",
    "Основы безопасности",
    "Gesprekken voeren\nmet lastige klanten",
    "Excel: formules; grafieken",
    "上岗培训",
    "L'accueil à l'hôpital",
    "Onboarding 🚀",
)

GROUPS = (
    "Alle medewerkers",
    "Lege groep",
    "Vestiging Utrecht",
    'Team "Noord", locatie 3',
    "Verpleging & verzorging",
    "Ομάδα Αθήνας",
    "Команда поддержки",
    "Zorg\nKind & Jeugd",
    "BHV'ers",
    "Management, directie",
    "営業部",
    "Stagiaires 2024/2025",
)

CERTIFICATES = (
    "BHV-certificaat",
    "EHBO-diploma",
    'Certificaat "Veilig werken"',
    "VCA, basis",
    "Πιστοποιητικό ασφάλειας",
    "Bewijs van deelname",
)

OFFERS = ("Startersdag", "Masterclass, najaar", 'Webinar "AVG"', "BHV-oefening", "Zomerschool")
ITEMS = ("Rijbewijs B", "Diploma MBO-4, Zorg", "Cursus «Français»", "TOEFL", "Lasdiploma")
MODULES = ("Inleiding", "Theorie", "Toets", "Opdracht", "Video: wat nu?", "Évaluation")
DEPARTMENTS = ("Zorg", "Financiën", "ICT", "Inkoop, logistiek", "Facilitair")
JOBS = ("Verpleegkundige", "Controller", "Chef de cuisine", None, "Teamleider")
TEXTS = ("Utrecht", 'de "oude" fabriek', "a, b;\nc", "Αθήνα", "n.v.t.", "東京")
COLORS = ("#1b9e77", "#d95f02", None, "#7570b3")

# Label, kind of value, what carries the field, and what can be chosen.
CATEGORIES: tuple[tuple[str, str, list[str], tuple[str, ...]], ...] = (
    ("Werklocatie", "TEXT", ["USER", "GROUP"], ()),
    ("Uren per week", "NUMBER", ["USER"], ()),
    ("In dienst sinds", "DATE", ["USER"], ()),
    ("Contract", "SELECT", ["USER"], ("Vast", "Tijdelijk", 'Oproep, "nul uren"')),
    ("Talen", "MULTISELECT", ["USER"], ("Nederlands", "English", "Ελληνικά", "العربية", "中文")),
    ("BHV'er?", "BOOLEAN", ["USER"], ()),
    ("Regio", "MULTISELECT", ["GROUP"], ("Noord", "Oost", "Zuid", "West")),
    ("Niveau", "SELECT", ["TRAINING"], ("Basis", "Gevorderd")),
    ("Verplicht", "BOOLEAN", ["GROUP", "TRAINING"], ()),
)


def person(random: Random, n: int) -> str:
    """Return the name of the n-th user; names of the same kind come at the same places."""
    if n % 8 == 1:
        return f"{_AWKWARD[n // 8 % len(_AWKWARD)]}{f' {n}' if n >= 8 * len(_AWKWARD) else ''}"
    given, family = _PEOPLE[n % len(_PEOPLE)]
    return f"{random.choice(given)} {random.choice(family)}"
