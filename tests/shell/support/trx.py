"""Reads a .trx file: prints "counts<TAB>passed<TAB>failed<TAB>skipped", then a line for each failed and skipped test."""

import sys
import xml.etree.ElementTree as tree

NAMESPACE = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"


def one_line(text):
    return " ".join((text or "").split())


def reason(result):
    """xunit writes the reason of a skip to the standard output of the result; a failure has an error message."""
    for path in ("ErrorInfo/Message", "StdOut"):
        found = result.find(NAMESPACE + "Output/" + "/".join(NAMESPACE + part for part in path.split("/")))
        if found is not None and one_line(found.text):
            return one_line(found.text)
    return "no reason given"


def main(path):
    root = tree.parse(path).getroot()
    counts = {"Passed": 0, "Failed": 0, "Skipped": 0}
    lines = []
    for result in root.iter(NAMESPACE + "UnitTestResult"):
        outcome = result.get("outcome")
        kind = outcome if outcome == "Passed" else "Skipped" if outcome in ("NotExecuted", "Inconclusive") else "Failed"
        counts[kind] += 1
        if kind != "Passed":
            lines.append(f"{kind.lower()}\t{one_line(result.get('testName'))}\t{reason(result)}")
    # A crashed or hung test host ends the run early and says so here, not in any test's result.
    summary = root.find(NAMESPACE + "ResultSummary")
    if summary is not None and summary.get("outcome") not in ("Completed", "Passed", "Warning") and counts["Failed"] == 0:
        counts["Failed"] += 1
        lines.append(f"failed\tthe test run ended as {summary.get('outcome')}\t")
    print("counts\t{Passed}\t{Failed}\t{Skipped}".format(**counts))
    print("\n".join(lines))


main(sys.argv[1])
