/** A web action: answers an HTTP request with a page, a redirect or a binary image. */
const PIXEL = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

function escape(text) {
  return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function main(params) {
  if (params.__ow_path === "/pixel.gif") {
    return { statusCode: 200, headers: { "Content-Type": "image/gif" }, body: PIXEL };
  }
  if (params.__ow_path === "/old") {
    return { statusCode: 301, headers: { Location: "/new" } };
  }
  if (params.__ow_method !== "get") {
    return { error: { statusCode: 405, body: { message: `${params.__ow_method} is not allowed` } } };
  }
  return {
    statusCode: 200,
    headers: { "Content-Type": "text/html; charset=utf-8", "Set-Cookie": ["seen=1", "lang=de"] },
    body: `<h1>Grüß Gott, ${escape(params.name || "stranger")}</h1>`,
  };
}
