"""A web action: takes a submitted form and answers with a page, or with a redirect."""
import base64
import html
from urllib.parse import parse_qs


def main(args):
    if args.get("__ow_method") == "get":
        return {"statusCode": 302, "headers": {"Location": "/form.html"}}
    body = args.get("__ow_body", "")
    if args.get("__ow_isBase64"):
        body = base64.b64decode(body).decode("utf-8")
    fields = parse_qs(body, keep_blank_values=True)
    rows = "".join(f"<li>{html.escape(k)}: {html.escape(', '.join(v))}</li>" for k, v in sorted(fields.items()))
    return {
        "statusCode": 200 if fields else 400,
        "headers": {"Content-Type": "text/html; charset=utf-8"},
        "body": f"<ul>{rows}</ul>",
    }
