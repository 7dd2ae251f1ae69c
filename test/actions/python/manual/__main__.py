"""Renders a manual in Markdown with tables, notes and a table of contents."""
import markdown


def main(args):
    converter = markdown.Markdown(extensions=["tables", "toc", "footnotes", "fenced_code"])
    html = converter.convert(args["markdown"])
    return {"html": html, "toc": [entry["name"] for entry in converter.toc_tokens]}
