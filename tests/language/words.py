"""English that names and sentences are held against."""

IRREGULAR_PARTICIPLES = frozenset(
    """become begun bent bound bought bred broken brought built caught chosen done drawn driven drunk dug eaten fallen fed
    felt flown forbidden forgotten fought found frozen given gone grown heard held hidden hung hurt kept known laid led
    left lent lost made meant met mistaken overruled overtaken overwritten paid risen said sat seen sent shaken shown
    shot slept sold sought spent spoken spun stolen stood struck stuck sung sunk swept sworn swum taken taught thought
    thrown told torn undone understood withdrawn withheld woken won worn wound written""".split()
)
NO_PARTICIPLES = frozenset(
    "bed bleed breed embed exceed feed hundred indeed need proceed red seed shed speed succeed weed".split()
)
"""Words in -ed that are none."""
FILLERS = frozenset("one ones other others something anything thing things theirs ours whatever stuff tmp".split())
"""Names that say nothing of what they hold."""
ARCHAIC = (
    "afresh",
    "anew",
    "at hand",
    "befall",
    "befalls",
    "betwixt",
    "brought to mind",
    "but for",
    "comes to",
    "forthwith",
    "hence",
    "henceforth",
    "hereby",
    "hitherto",
    "in hand",
    "is nobody's",
    "keeping house",
    "lest",
    "of which",
    "put to",
    "puts to",
    "save for",
    "shall",
    "stands",
    "thence",
    "thereby",
    "therein",
    "thereof",
    "thereto",
    "thus",
    "to whom",
    "unto",
    "upon",
    "whence",
    "whereby",
    "wherein",
    "whereof",
    "whichever",
    "whoever",
    "whomever",
)
"""Turns that nobody says aloud today."""


def is_participle(word: str) -> bool:
    """Whether a word is a past participle, as a name that stands alone: `found`, `filed`."""
    return word in IRREGULAR_PARTICIPLES or (word.endswith("ed") and len(word) > 3 and word not in NO_PARTICIPLES)
