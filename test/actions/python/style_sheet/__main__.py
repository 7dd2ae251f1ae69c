"""Turns XML into HTML with a style sheet that lies beside the code."""
import os

from lxml import etree

HERE = os.path.dirname(os.path.abspath(__file__))
transform = etree.XSLT(etree.parse(os.path.join(HERE, "books.xsl")))


def main(args):
    try:
        document = etree.fromstring(args["xml"].encode("utf-8"))
    except etree.XMLSyntaxError as problem:
        return {"error": str(problem)}
    cheap = document.xpath("//book[@price < $limit]/title/text()", limit=args.get("limit", 20))
    return {"html": str(transform(document)), "cheap": [str(title) for title in cheap]}
