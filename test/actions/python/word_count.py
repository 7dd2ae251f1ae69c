"""Counts the words of a text and tells the most frequent ones."""
import re
from collections import Counter


def main(args):
    words = re.findall(r"[\w']+", args.get("text", "").lower())
    counts = Counter(words)
    frequent = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[: args.get("top", 5)]
    print("counted", len(words), "words")
    return {"words": len(words), "distinct": len(counts), "frequent": [{"word": w, "count": n} for w, n in frequent]}
