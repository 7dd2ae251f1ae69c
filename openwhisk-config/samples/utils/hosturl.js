// Builds the URL under which an action or a trigger of the caller can be reached.
const extensions = [".json", ".text", ".html", ".http"];

function main({ path, web, trigger, ext }) {
  if (web === true && trigger === true) {
    return { error: "triggers are not allowed for web actions." };
  }
  if (trigger === true && path?.includes("/")) {
    return { error: "triggers are not allowed in packages." };
  }
  if (web === true && ext !== undefined && !extensions.includes(ext)) {
    return { error: `extension for web action must be one of ${JSON.stringify(extensions)}.` };
  }
  const api = `${process.env.__OW_API_HOST}/api/v1`;
  const namespace = process.env.__OW_NAMESPACE;
  if (web === true) {
    const base = `${api}/web/${namespace}`;
    return { url: path ? `${base}/${path.includes("/") ? path : `default/${path}`}${ext ?? ".json"}` : base };
  }
  const base = `${api}/namespaces/${namespace}/${trigger === true ? "triggers" : "actions"}`;
  return { url: path ? `${base}/${path}` : base };
}
