"""Takes links and headings out of a careless page."""
from urllib.parse import urljoin

from bs4 import BeautifulSoup


def main(args):
    soup = BeautifulSoup(args["html"], "html.parser")
    links = [urljoin(args.get("base", ""), a["href"]) for a in soup.find_all("a", href=True)]
    return {
        "title": soup.title.string if soup.title else None,
        "headings": [h.get_text(" ", strip=True) for h in soup.select("h1, h2")],
        "links": links,
        "text": soup.get_text(" ", strip=True)[:80],
    }
