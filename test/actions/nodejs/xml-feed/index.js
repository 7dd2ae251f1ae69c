/** Reads a news feed in XML and writes it as another. */
const { XMLParser, XMLBuilder, XMLValidator } = require("fast-xml-parser");

exports.main = ({ xml }) => {
  const problem = XMLValidator.validate(xml);
  if (problem !== true) return { error: problem.err };
  const feed = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "@" }).parse(xml);
  const items = [].concat(feed.rss.channel.item);
  const atom = {
    feed: {
      "@xmlns": "http://www.w3.org/2005/Atom",
      title: feed.rss.channel.title,
      entry: items.map((item) => ({ title: item.title, id: item.guid["#text"] ?? item.guid })),
    },
  };
  return { items: items.length, atom: new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: "@" }).build(atom) };
};
