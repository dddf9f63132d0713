"""What of a server's message may be shown.

A message may repeat anything that was sent or is stored: a token, a secret, the name of a person.
No rule tells those from other words, so only known words pass: those that errors of GraphQL, OAuth
and web servers are made of, the names in the document that was sent (not its values), and scopes.
All else becomes an ellipsis, and a line break a space.
"""

from __future__ import annotations

import re

_LONGEST = 300  # characters that are shown
_HIDDEN = "…"
_WORD = re.compile(r"(?P<before>[\"'`(\[{$]{0,3})(?P<core>.*?)(?P<after>[\"'`)\]},.;:!?]{0,3})")
_SCOPE = re.compile(r"[a-z][a-z_]{0,40}\.(?:read|write)")
_VALUE = re.compile(r'"""(?:\\"""|.)*?"""|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

_TEXT = """
a able aborted about accept accepted access account action actions active actually after again alias
aliases all allow allowed already also an and anonymous another any api archived are argument
arguments as ask at attempt attempts auth authenticate authenticated authentication authorization
authorized available back bad be because been before belong better between body boolean both breadth
broken but by cache call called calls can cannot category certificate certificates change changed
character characters check client code coerce column come complete completion complexity condition
configured conflict connection constraint contact contain contained contains content cost could
count course create created credentials currently cursor custom data database date deadlock decode
defined deleted denied deprecated depth detected did directive disabled do document does doing down
duplicate each edge edges empty enabled end enough enrollment enrollments enum error errors event
events exceed exceeded exceeds exception execute executed execution exist exists expected expired
extra fail failed failure false fetch field fields file filter find first float following for
forbidden format found fragment from function gateway give given go grant granted graphql group
groups had has have header host how http i id identifier if ignored implemented in inactive inline
input instead insufficient int integer interface internal into introspection invalid invalidated is
issued it item items its json key keys kind known lack lacks large last later left length less limit
limits list load lock locked long longer maintenance manager managers many match matches matching
max maximum may me mean member members memory message method min minimum missing module more most
must mutation name named names need needed needs nested network never next no node nodes non none
not nothing now null number object objects occur occurred of off offer offers offset on once one
only operation operations option optional or order organization other out over page pages paginated
pagination parameter parse parser part participant participants parts perform permission permissions
permitted persisted please plugin pool portfolio position processing progress property provided
quantity queries query quota range rate reached read reason received reference refused rejected
related relation remove removed report represent request requested requests require required
requires resolve resolver resource response result results retry return returned revoked role row
rows rule running same scalar schema scope scopes score second seconds see select selected selection
selections serialize server service session set shape should signature simple size slow some
something soon sort state status stopped string sub subfields subscription such support supported
suspended syntax system take task temporarily temporary test than that the their then there these
they this throttled through time timed timeout times to together token tokens too total trainer
trainers training trainings true try type types unable unauthenticated unauthorized unavailable
undefined under unexpected unhandled unique unknown unsupported until up update upstream usage use
used user users using uuid valid validate validation value values variable variables version
violates wait was we went were what when where which while whole will with within without work
worker write wrong yet you your

can't couldn't didn't doesn't don't isn't wasn't

GraphQL HTTP JSON API ID UUID SQL URL Int Float String Boolean Query Mutation User Group Training
Certificate Offer Event Enrollment None Error Name Scope invalid_request invalid_client
invalid_grant invalid_scope invalid_token unauthorized_client unsupported_grant_type access_denied
server_error temporarily_unavailable insufficient_scope __schema __type __typename
"""
_WORDS = frozenset(_TEXT.split())


def redacted(message: str, document: str = "") -> str:
    """Return a server's message about `document` without what it may have repeated.

    The result is one line of at most 300 characters.
    """
    names = frozenset(_NAME.findall(_VALUE.sub(" ", document)))
    shown: list[str] = []
    starts = True  # a sentence, whose first word has a capital
    for word in message.split():
        found = _WORD.fullmatch(word)
        core = found["core"] if found else ""
        known = not core or core in names or _is_known(core, starts=starts)
        if found is None or not known:
            before, after = (found["before"], found["after"]) if found else ("", "")
            word = f"{before}{_HIDDEN}{after}"  # noqa: PLW2901 - what is shown of it
        if not (word == _HIDDEN and shown and shown[-1] == _HIDDEN):
            shown.append(word)
        starts = word[-1] in ".!?;:"
    return " ".join(shown)[:_LONGEST]


def redacted_name(name: str) -> str:
    """Return a code or name that a server gave, if it is made of known words."""
    return name if _is_known(name, starts=True) else _HIDDEN


def _is_known(word: str, *, starts: bool) -> bool:
    """Tell whether a word is known, or a name such as `PaginatedUsers` is made of known words."""
    if word in _WORDS or _SCOPE.fullmatch(word):
        return True
    parts = _PART.findall(word)
    whole = "".join(parts) == word.replace("_", "")
    compound = len(parts) > 1 or word.isupper() or starts
    return whole and compound and all(part.lower() in _WORDS for part in parts)
