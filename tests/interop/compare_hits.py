#!/usr/bin/env python3
"""Compares the rules that two engines say hit, message by message.

Usage: compare_hits.py [options] REFERENCE OURS

Both are JSON lines as `criba rules hits --json` prints them (a name that ends in .xz is unpacked); a message is known by
its path or, where that tells nothing, by its last folder and its file name. Agreement is the number of (message, rule) pairs that both have over the
number that either has, sub-rules included. Exits with 1 below a floor.
"""

import argparse
import json
import lzma
import re
import signal
import sys
from collections import Counter, defaultdict
from pathlib import Path

SPAM = 5.0
NEAR = 0.01


def read(path):
    opener = lzma.open if path.endswith(".xz") else open
    messages = {}
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            messages[message["file"]] = message
    return messages


def short(messages):
    """The same by folder and file name: the corpus may lie elsewhere."""
    return {"/".join(name.split("/")[-2:]): message for name, message in messages.items()}


def hits(message):
    return set(message["tests"]) | set(message["subtests"])


def metas(folder):
    """The rules that each meta of a folder of rules names."""
    named = {}
    for path in sorted(Path(folder).glob("*.cf")):
        for line in path.read_text("latin-1").splitlines():
            found = re.match(r"\s*meta\s+(\w+)\s+(.*)", line)
            if found:
                named[found[1]] = set(re.findall(r"[A-Za-z_]\w+", found[2].split("#")[0]))
    return named


def share(part, whole):
    return part / whole if whole else 1.0


def compare(reference, ours, named):
    if not reference.keys() & ours.keys():
        reference, ours = short(reference), short(ours)
    both = [name for name in reference if name in ours]
    common, either = 0, 0
    missing, extra = defaultdict(list), defaultdict(list)
    wrong_score, wrong_verdict, reasons = [], [], Counter()
    agreed = Counter()
    for name in both:
        theirs, mine = reference[name], ours[name]
        a, b = hits(theirs), hits(mine)
        common, either = common + len(a & b), either + len(a | b)
        agreed.update(a & b)
        for rule in a - b:
            if not named.get(rule, set()) & (a ^ b):
                missing[rule].append(name)
        for rule in b - a:
            if not named.get(rule, set()) & (a ^ b):
                extra[rule].append(name)
        if abs(theirs["score"] - mine["score"]) > NEAR:
            scored = set(theirs["tests"]) ^ set(mine["tests"])
            reasons.update(scored or {"(the same rules, other counts)"})
            wrong_score.append((name, theirs["score"], mine["score"], sorted(scored)))
        if (theirs["score"] >= SPAM) != (mine["score"] >= SPAM):
            wrong_verdict.append(name)
    return both, common, either, agreed, missing, extra, wrong_score, wrong_verdict, reasons


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=60, metavar="N", help="rows of the table (60)")
    parser.add_argument("--messages", type=int, default=2, metavar="N", help="messages named for each rule (2)")
    parser.add_argument("--only", metavar="PREFIX", default="", help="only rules whose name begins so, in the table")
    parser.add_argument("--roots", metavar="DIR", help="leave out metas where a rule they name differs; DIR holds the rules")
    parser.add_argument("--min-hits", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--min-scores", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--min-verdicts", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("reference")
    parser.add_argument("ours")
    args = parser.parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    both, common, either, agreed, missing, extra, scores, verdicts, reasons = compare(
        read(args.reference), read(args.ours), metas(args.roots) if args.roots else {}
    )
    if not both:
        sys.exit("compare_hits.py: the two files have no message in common")

    rules = sorted(missing.keys() | extra.keys(), key=lambda rule: (-len(missing[rule]) - len(extra[rule]), rule))
    shown = [rule for rule in rules if rule.startswith(args.only)][: args.rules]
    if shown:
        print(f"{'rule':<36} {'both':>6} {'missing':>7} {'extra':>6}  messages (- missing, + extra)")
    for rule in shown:
        named = ["-" + name for name in missing[rule][: args.messages]] + ["+" + name for name in extra[rule][: args.messages]]
        print(f"{rule:<36} {agreed[rule]:>6} {len(missing[rule]):>7} {len(extra[rule]):>6}  {' '.join(named)}")
    if len(rules) > len(shown):
        print(f"... {len(rules)} rules differ in all")
    if scores:
        print("\nscores that differ, by the rules that differ in those messages:")
        for rule, count in reasons.most_common(args.rules):
            named = [f"{name} ({a} -> {b})" for name, a, b, why in scores if rule in why][: args.messages]
            print(f"{rule:<36} {count:>6}  {' '.join(named)}")

    count = len(both)
    figures = [
        ("hits", args.min_hits, share(common, either), f"{common} of {either}"),
        ("scores", args.min_scores, share(count - len(scores), count), f"{count - len(scores)} of {count} within {NEAR}"),
        ("verdicts", args.min_verdicts, share(count - len(verdicts), count), f"{count - len(verdicts)} of {count} at {SPAM}"),
    ]
    print()
    for what, floor, reached, told in figures:
        print(f"{what:<9} {reached:8.3%}  {told}" + (f"; floor {floor:.2%}" if floor else ""))
    below = [what for what, floor, reached, _ in figures if reached < floor]
    if below:
        sys.exit(f"compare_hits.py: below the floor: {', '.join(below)}")


main()
