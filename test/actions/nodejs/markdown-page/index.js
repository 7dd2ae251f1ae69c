/** Renders a Markdown document as a web page with a table of contents. */
const { Marked } = require("marked");

exports.main = async ({ markdown, title = "Untitled" }) => {
  const headings = [];
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth }) {
        const text = this.parser.parseInline(tokens);
        const id = text.toLowerCase().replace(/[^\w]+/g, "-");
        headings.push({ depth, id });
        return `<h${depth} id="${id}">${text}</h${depth}>\n`;
      },
    },
  });
  const body = await marked.parse(markdown);
  return { headings, html: `<!doctype html><title>${title}</title>${body}` };
};
