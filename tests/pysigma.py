"""Parses every rule file under a folder with pySigma, without the keys that only pipewarden knows.

Prints what is wrong, one line a document, and at the end how many documents parsed. Exit code 1 when one did not.
Must never change a file, nor leave a document out.
"""

import pathlib
import sys

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError


def documents(folder):
    for file in sorted(pathlib.Path(folder).rglob("*.yml")):
        with file.open(encoding="utf-8") as text:
            for number, document in enumerate(yaml.safe_load_all(text), 1):
                yield f"{file.relative_to(folder)}, document {number}", document


def main(folder):
    plain, places = [], []
    for place, document in documents(folder):
        plain.append({key: value for key, value in document.items() if not key.startswith("x-")})
        places.append(place)
    wrong = 0
    rules = SigmaCollection.from_dicts(plain, collect_errors=True)
    for place, rule in zip(places, rules.rules, strict=True):
        errors = list(rule.errors)
        try:
            # Conditions are parsed when somebody asks for them.
            if not errors and not isinstance(rule, SigmaCorrelationRule):
                [condition.parsed for condition in rule.detection.parsed_condition]
        except SigmaError as error:
            errors.append(error)
        wrong += bool(errors)
        for error in errors:
            print(f"{place}: {error}")
    # A name that nothing bears is an error of the whole.
    rules.resolve_rule_references()
    several = sum(isinstance(rule, SigmaCorrelationRule) for rule in rules.rules)
    print(f"{len(plain) - wrong} of {len(plain)} documents parse, {several} of them correlations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
