"""Print how plain the code's words are, and where they are not: `make language`."""

from tests.language.measures import ROOMS, Findings, measure

SHOWN = 15


def _print(findings: Findings) -> None:
    print(f"{findings.title:34} {findings.share:6.2f} {findings.unit:18} at most {findings.goal:g}")
    for word, places in findings.most_common(SHOWN):
        print(f"    {len(places):4}  {word:28} {places[0]}")


if __name__ == "__main__":
    print(f"In {', '.join(ROOMS)}:")
    for findings in measure():
        _print(findings)
